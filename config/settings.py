"""Everything the environment may say, read and checked once, at start.

`os.environ` is read here and nowhere else. Each variable NAME may also come from the file named by NAME_FILE.
A new setting is one field of `Settings`: its variable, how its text is read, its default.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal

from config import embedded
from config import variables as read
from config.extras import PAYMENTS, ExtraMissing
from config.keys import KeyRing, development_key_ring
from config.operator import Operator, operator_of, refuse_unknown
from config.protected_urls import postgres_is_protected, redis_is_protected, smtp_is_protected
from config.variables import variable

_PROVISIONER = ("QIKBIZ_PROVISIONER_URL", "QIKBIZ_PROVISIONER_URL_FILE")
_SERVERS = "QIKBIZ_CONTROL_URL and QIKBIZ_REDIS_URL (and, for provisioning, QIKBIZ_PROVISIONER_URL)"
_MAKE_KEYS = "Make a ring of your own with `qikbiz keys new` and give it by QIKBIZ_KEYS_FILE."
_VERIFIED = "add sslmode=verify-full, or use a unix socket"
Environment = Literal["development", "test", "production"]
Known = Mapping[str, Any]


class SettingsError(Exception):
    """The environment asks for something the program refuses; the text says what and how to fix it."""


def _in_tests(in_tests: str, else_: str) -> Callable[[Known], str]:
    """Hashes of passwords are cheap in tests."""
    return lambda known: in_tests if known["environment"] == "test" else else_


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one process was started with. The fields are read in this order; a default may look at those before it.

    `tls_file` is set while the web process ends TLS itself, which only development does.
    `home` is the folder of everything the program keeps on disk; `control_url`, `provisioner_url` and `redis_url`
    point at embedded servers under it unless they were given. `holiday_countries` are those whose holidays are no
    business days of a notice (P19), `public_url` is where the daily probe asks for it ("" for the site's own address).
    `backup_days` is after how long the last back-up of
    anything is gone, as certificates of erasure say; the machinery that makes back-ups must be set to the same.
    """

    environment: Environment = variable(
        "QIKBIZ_ENV", read.one_of("development", "test", "production"), "development", reads_empty=True
    )
    home: Path = variable("QIKBIZ_HOME", read.home_folder, "var")
    port: int = variable("PORT", read.port_number, "8000")
    base_domain: str = variable("QIKBIZ_BASE_DOMAIN", read.bare_domain, "localhost")
    control_url: str = variable("QIKBIZ_CONTROL_URL", str)
    provisioner_url: str | None = variable("QIKBIZ_PROVISIONER_URL", str)
    redis_url: str = variable("QIKBIZ_REDIS_URL", str)
    embedded: bool
    keys: KeyRing = variable("QIKBIZ_KEYS", read.key_ring)
    smtp_url: str | None = variable("QIKBIZ_SMTP_URL", read.smtp_url)
    mail_from: str = variable("QIKBIZ_MAIL_FROM", str, lambda known: f"QikBiz <no-reply@{known['base_domain']}>")
    # Where customers write; answers to a ticket come to it with a signed `+…` before the @.
    support_address: str = variable(
        "QIKBIZ_SUPPORT_ADDRESS", read.support_address, lambda known: f"support@{known['base_domain']}"
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = variable("QIKBIZ_TRUSTED_PROXIES", read.networks, "")
    listen: str = variable("QIKBIZ_LISTEN", read.own_address, "127.0.0.1")
    tls_file: Path | None = None
    public_scheme: Literal["http", "https"] = variable("QIKBIZ_SCHEME", read.one_of("http", "https"), "http")
    web_workers: int = variable("QIKBIZ_WEB_WORKERS", read.whole_number, "2")
    web_threads: int = variable("QIKBIZ_WEB_THREADS", read.whole_number, "4")
    log_level: str = variable("QIKBIZ_LOG_LEVEL", str.upper, "INFO")
    max_upload_bytes: int = 512 * 1024 * 1024
    redis_prefix: str = "qb"
    argon2_memory_kib: int = variable("QIKBIZ_ARGON2_MEMORY_KIB", read.whole_number, _in_tests("64", "19456"))
    argon2_iterations: int = variable("QIKBIZ_ARGON2_ITERATIONS", read.whole_number, _in_tests("1", "2"))
    leaked_passwords_url: str | None = variable("QIKBIZ_LEAKED_PASSWORDS_URL", read.range_service)
    job_lease_seconds: int | None = variable("QIKBIZ_JOB_LEASE_SECONDS", read.seconds_or_none)
    job_retry_seconds: int = variable("QIKBIZ_JOB_RETRY_SECONDS", read.whole_number, "5")
    sweep_seconds: float = variable("QIKBIZ_SWEEP_SECONDS", read.whole_number, "3")
    announcement_mails_per_minute: int = variable("QIKBIZ_ANNOUNCEMENT_MAILS_PER_MINUTE", read.whole_number, "600")
    holiday_countries: tuple[str, ...] = variable(
        "QIKBIZ_HOLIDAY_COUNTRIES", read.countries, "US DE GB", reads_empty=True
    )
    public_url: str = variable("QIKBIZ_PUBLIC_URL", read.without_final_slash, "")
    backup_days: int = variable("QIKBIZ_BACKUP_DAYS", read.whole_number, "35")
    stripe_secret_key: str | None = variable("QIKBIZ_STRIPE_SECRET_KEY", str)
    stripe_webhook_secret: str | None = variable("QIKBIZ_STRIPE_WEBHOOK_SECRET", str)
    stripe_api_base: str = variable("QIKBIZ_STRIPE_API_BASE", read.payment_service, "https://api.stripe.com")
    # Identity providers inside a private network: off where any customer could name an address of our network.
    sso_private_issuers: bool = variable(
        "QIKBIZ_SSO_PRIVATE_ISSUERS",
        read.yes_or_no,
        lambda known: "0" if known["environment"] == "production" else "1",
    )
    # Company, hosting place and sub-processors, for the privacy page.
    operator: Operator = field(default_factory=Operator)

    @property
    def files(self) -> Path:
        """Folder of uploads and finished exports."""
        return self.home / "files"

    @property
    def mail_sink(self) -> Path:
        """Folder where mails are written when no SMTP server is set."""
        return self.home / "mail"

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    def origin(self, host: str) -> str:
        """Scheme, host and port of a page on `host`, as links in mails need it."""
        default = 443 if self.public_scheme == "https" else 80
        shown = "" if self.is_production or self.port == default else f":{self.port}"
        return f"{self.public_scheme}://{host}{shown}"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment once. Raises SettingsError with a sentence that says what to change."""
    try:
        given = read.with_files(os.environ if environ is None else environ)
        values = read.read_fields(Settings, given)
        values["operator"] = operator_of(given)
        _refuse_halves(values)
        _complete(values)
        settings = Settings(**values)
        if settings.is_production:
            _refuse_unsafe(settings, given)
    except (ValueError, ExtraMissing) as error:
        raise SettingsError(str(error)) from None
    if settings.is_production:
        return settings
    return served_over_tls(settings) if served_file(settings.home).is_file() else settings


def served_file(home: Path) -> Path:
    """Certificate, chain and key of `qikbiz up --tls`. While the file exists, every process of this home uses https."""
    return home / "tls" / "served.pem"


def served_over_tls(settings: Settings) -> Settings:
    return replace(settings, tls_file=served_file(settings.home), public_scheme="https")


def without_tls(settings: Settings) -> Settings:
    """The same, whether the run before used TLS or not."""
    return replace(settings, tls_file=None, public_scheme="http") if settings.tls_file else settings


def environment_for_children(settings: Settings, *, may_provision: bool) -> dict[str, str]:
    """This process's environment for one it starts: the same home from any directory, our programs found first.

    Without `may_provision` it lacks the URL of the login that may make roles, databases and schemas.
    """
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
    # Their lines are relayed as they come.
    own = {"PATH": path, "PORT": str(settings.port), "QIKBIZ_HOME": str(settings.home), "PYTHONUNBUFFERED": "1"}
    inherited = {name: value for name, value in os.environ.items() if may_provision or name not in _PROVISIONER}
    return inherited | own


def set_for_children(name: str, value: str) -> None:
    """Put something into the environment of the processes that this one starts; libraries there look for it."""
    os.environ[name] = value


def _refuse_halves(values: Known) -> None:
    if bool(values["control_url"]) != bool(values["redis_url"]):
        raise ValueError("Set both QIKBIZ_CONTROL_URL and QIKBIZ_REDIS_URL, or neither (then embedded servers run).")
    # One secret alone would take money and never hear of it.
    if bool(values["stripe_secret_key"]) != bool(values["stripe_webhook_secret"]):
        raise ValueError("Set both QIKBIZ_STRIPE_SECRET_KEY and QIKBIZ_STRIPE_WEBHOOK_SECRET, or neither.")
    if values["stripe_secret_key"]:
        PAYMENTS.refuse_missing()


def _complete(values: dict[str, Any]) -> None:
    """Fill in what follows from the rest: the servers under `home`, its key ring, https in production."""
    home, is_production = values["home"], values["environment"] == "production"
    values["embedded"] = not values["control_url"]
    if values["embedded"]:
        values["control_url"] = embedded.control_url(home)
        values["provisioner_url"] = embedded.provisioner_url(home)
        values["redis_url"] = embedded.redis_url(home)
    if is_production:
        values["public_scheme"] = "https"
    if values["keys"] is None:
        if is_production:
            raise ValueError(f"QIKBIZ_KEYS is not set. {_MAKE_KEYS}")
        values["keys"] = development_key_ring(home)


def _refuse_unsafe(settings: Settings, given: Mapping[str, str]) -> None:
    for is_wrong, sentence in (
        (settings.keys.is_development, f"QIKBIZ_KEYS is the development key. {_MAKE_KEYS}"),
        (settings.embedded, f"Production needs servers of its own: set {_SERVERS}."),
        (settings.base_domain == "localhost", "QIKBIZ_BASE_DOMAIN is not set. Give the domain of the tenants' names."),
        (not settings.smtp_url, "QIKBIZ_SMTP_URL is not set; without it no invitation or notice would leave."),
        (
            given.get("QIKBIZ_FAULT") or given.get("QIKBIZ_FAULT_DIR"),
            "QIKBIZ_FAULT is set; it makes processes fail on purpose, for tests. Remove it and QIKBIZ_FAULT_DIR.",
        ),
        (given.get("LOGIN_DISABLED"), "LOGIN_DISABLED is set; it turns every login check off. Remove it."),
    ):
        if is_wrong:
            raise ValueError(sentence)
    _refuse_open_lines(settings)
    refuse_unknown(settings.operator)


def _refuse_open_lines(settings: Settings) -> None:
    for name, url, is_protected, instead in (
        ("QIKBIZ_CONTROL_URL", settings.control_url, postgres_is_protected, _VERIFIED),
        ("QIKBIZ_PROVISIONER_URL", settings.provisioner_url, postgres_is_protected, _VERIFIED),
        ("QIKBIZ_REDIS_URL", settings.redis_url, redis_is_protected, "use rediss:// or unix://"),
        ("QIKBIZ_SMTP_URL", settings.smtp_url, smtp_is_protected, "use smtps:// or smtp+starttls://"),
        ("QIKBIZ_LEAKED_PASSWORDS_URL", settings.leaked_passwords_url, _is_https, "use https://"),
    ):
        if url and not is_protected(url):
            raise ValueError(f"{name} is reached without verified TLS: {instead}.")


def _is_https(url: str) -> bool:
    return url.startswith("https://")
