"""Everything the environment may say, read and checked once, at start.

`os.environ` is read here and nowhere else. A secret NAME may also come from the file named by NAME_FILE.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from config import embedded
from config.extras import PAYMENTS, ExtraMissing
from config.keys import KeyRing, development_key_ring
from config.operator import Operator, OperatorUnknown, operator_of, refuse_unknown

_PROVISIONER = ("QIKBIZ_PROVISIONER_URL", "QIKBIZ_PROVISIONER_URL_FILE")
_SERVERS = "QIKBIZ_CONTROL_URL and QIKBIZ_REDIS_URL (and, for provisioning, QIKBIZ_PROVISIONER_URL)"
_MAKE_KEYS = "Make a ring of your own with `qikbiz keys new` and give it by QIKBIZ_KEYS_FILE."
_VERIFIED = "add sslmode=verify-full, or use a unix socket"
Environment = Literal["development", "test", "production"]


class SettingsError(Exception):
    """The environment asks for something the program refuses; the text says what and how to fix it."""


@dataclass(frozen=True)
class Settings:
    """What one process was started with.

    `tls_file` is set while the web process ends TLS itself, which only development does.
    `home` is the folder of everything the program keeps on disk; `control_url`, `provisioner_url` and `redis_url`
    point at embedded servers under it unless they were given. `holiday_countries` are those whose holidays are no
    business days of a notice (P19), `public_url` is where the daily probe asks for it ("" for the site's own address).
    `backup_days` is after how long the last back-up of
    anything is gone, as certificates of erasure say; the machinery that makes back-ups must be set to the same.
    """

    environment: Environment
    home: Path
    port: int
    base_domain: str
    control_url: str
    provisioner_url: str | None
    redis_url: str
    embedded: bool
    keys: KeyRing
    smtp_url: str | None = None
    mail_from: str = "QikBiz <no-reply@localhost>"
    # Where customers write; answers to a ticket come to it with a signed `+…` before the @.
    support_address: str = "support@localhost"
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    listen: str = "127.0.0.1"
    tls_file: Path | None = None
    public_scheme: Literal["http", "https"] = "http"
    web_workers: int = 2
    web_threads: int = 4
    log_level: str = "INFO"
    max_upload_bytes: int = 512 * 1024 * 1024
    redis_prefix: str = "qb"
    argon2_memory_kib: int = 19 * 1024
    argon2_iterations: int = 2
    leaked_passwords_url: str | None = None
    job_lease_seconds: int | None = None
    job_retry_seconds: int = 5
    sweep_seconds: float = 3
    announcement_mails_per_minute: int = 600
    holiday_countries: tuple[str, ...] = ("US", "DE", "GB")
    public_url: str = ""
    backup_days: int = 35
    stripe_secret_key: str | None = None
    stripe_webhook_secret: str | None = None
    stripe_api_base: str = "https://api.stripe.com"
    # Identity providers inside a private network: off where any customer could name an address of our network.
    sso_private_issuers: bool = False
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
    given = dict(os.environ if environ is None else environ)
    environment = _environment(given)
    home = _home(given)
    control, redis = _secret(given, "QIKBIZ_CONTROL_URL"), _secret(given, "QIKBIZ_REDIS_URL")
    provisioner = _secret(given, "QIKBIZ_PROVISIONER_URL")
    if bool(control) != bool(redis):
        raise SettingsError("Set both QIKBIZ_CONTROL_URL and QIKBIZ_REDIS_URL, or neither (then embedded servers run).")
    settings = Settings(
        environment=environment,
        home=home,
        port=_port(given),
        base_domain=_base_domain(given),
        control_url=control or embedded.control_url(home),
        provisioner_url=provisioner if control else embedded.provisioner_url(home),
        redis_url=redis or embedded.redis_url(home),
        embedded=not control,
        keys=_key_ring(given, environment, home),
        smtp_url=_smtp_url(given),
        mail_from=given.get("QIKBIZ_MAIL_FROM") or f"QikBiz <no-reply@{_base_domain(given)}>",
        support_address=_support_address(given),
        trusted_proxies=_networks(given, "QIKBIZ_TRUSTED_PROXIES"),
        listen=_address(given, "QIKBIZ_LISTEN", "127.0.0.1"),
        public_scheme="https" if environment == "production" or given.get("QIKBIZ_SCHEME") == "https" else "http",
        web_workers=_integer(given, "QIKBIZ_WEB_WORKERS", 2),
        web_threads=_integer(given, "QIKBIZ_WEB_THREADS", 4),
        log_level=given.get("QIKBIZ_LOG_LEVEL", "INFO").upper(),
        argon2_memory_kib=_integer(given, "QIKBIZ_ARGON2_MEMORY_KIB", 19 * 1024 if environment != "test" else 64),
        argon2_iterations=_integer(given, "QIKBIZ_ARGON2_ITERATIONS", 2 if environment != "test" else 1),
        leaked_passwords_url=_range_service(given, environment),
        job_lease_seconds=_integer(given, "QIKBIZ_JOB_LEASE_SECONDS", 0) or None,
        job_retry_seconds=_integer(given, "QIKBIZ_JOB_RETRY_SECONDS", 5),
        sweep_seconds=_integer(given, "QIKBIZ_SWEEP_SECONDS", 3),
        announcement_mails_per_minute=_integer(given, "QIKBIZ_ANNOUNCEMENT_MAILS_PER_MINUTE", 600),
        holiday_countries=_countries(given),
        public_url=(given.get("QIKBIZ_PUBLIC_URL") or "").rstrip("/"),
        backup_days=_integer(given, "QIKBIZ_BACKUP_DAYS", 35),
        sso_private_issuers=_yes(given, "QIKBIZ_SSO_PRIVATE_ISSUERS", default=environment != "production"),
        operator=_operator(given),
        **_stripe(given),
    )
    if settings.is_production:
        _refuse_unsafe(settings, given)
        return settings
    return served_over_tls(settings) if served_file(home).is_file() else settings


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


def tell_children(name: str, value: str) -> None:
    """Put something into the environment of the processes that this one starts; libraries there look for it."""
    os.environ[name] = value


def _environment(given: Mapping[str, str]) -> Environment:
    value = given.get("QIKBIZ_ENV", "development")
    if value not in ("development", "test", "production"):
        raise SettingsError(f"QIKBIZ_ENV is {value!r}; it must be development, test or production.")
    return value  # type: ignore[return-value]  # narrowed by the check above, which mypy cannot follow


def _secret(given: Mapping[str, str], name: str) -> str | None:
    path = given.get(f"{name}_FILE")
    if not path:
        return given.get(name) or None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except OSError as error:
        raise SettingsError(f"{name}_FILE names {path}, which can't be read: {error.strerror}.") from error


def _smtp_url(given: Mapping[str, str]) -> str | None:
    url = _secret(given, "QIKBIZ_SMTP_URL")
    if url and (urlsplit(url).scheme not in ("smtp", "smtps", "smtp+starttls") or not urlsplit(url).hostname):
        raise SettingsError("QIKBIZ_SMTP_URL must be smtp://, smtps:// or smtp+starttls:// and name a host.")
    return url


def _range_service(given: Mapping[str, str], environment: Environment) -> str | None:
    """Where five characters of a password's hash may be asked about; nowhere unless it is named."""
    url = given.get("QIKBIZ_LEAKED_PASSWORDS_URL")
    if not url:
        return None
    if not url.startswith("https://" if environment == "production" else ("https://", "http://")):
        raise SettingsError("QIKBIZ_LEAKED_PASSWORDS_URL must be an https:// address such as https://…/range/.")
    return url.rstrip("/") + "/"


def _stripe(given: Mapping[str, str]) -> dict[str, Any]:
    """Paying by card is on when both secrets are given; one alone would take money and never hear of it."""
    key, webhook = _secret(given, "QIKBIZ_STRIPE_SECRET_KEY"), _secret(given, "QIKBIZ_STRIPE_WEBHOOK_SECRET")
    if bool(key) != bool(webhook):
        raise SettingsError("Set both QIKBIZ_STRIPE_SECRET_KEY and QIKBIZ_STRIPE_WEBHOOK_SECRET, or neither.")
    try:
        if key:
            PAYMENTS.refuse_missing()
    except ExtraMissing as error:
        raise SettingsError(str(error)) from None
    base = (given.get("QIKBIZ_STRIPE_API_BASE") or "https://api.stripe.com").rstrip("/")
    if urlsplit(base).scheme != "https" and urlsplit(base).hostname not in ("localhost", "127.0.0.1"):
        raise SettingsError("QIKBIZ_STRIPE_API_BASE must be https://: a secret key travels to it.")
    return {"stripe_secret_key": key, "stripe_webhook_secret": webhook, "stripe_api_base": base}


def _integer(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if not text:
        return default
    if not text.isdecimal():
        raise SettingsError(f"{name} is {text!r}; it must be a whole number.")
    return int(text)


def _port(given: Mapping[str, str]) -> int:
    port = _integer(given, "PORT", 8000)
    if not 1 <= port <= 65_535:
        raise SettingsError(f"PORT is {port}; give a number from 1 to 65535, such as 8000.")
    return port


def _home(given: Mapping[str, str]) -> Path:
    home = Path(given.get("QIKBIZ_HOME") or "var").expanduser().resolve()
    if any(c in "\"'\\" or not c.isprintable() for c in str(home)):
        # It goes into the settings of PostgreSQL and Valkey, which read these characters as their own.
        raise SettingsError(f"QIKBIZ_HOME is {str(home)!r}; choose a path without quotation marks and backslashes.")
    return home


def _yes(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = given.get(name, "").strip().lower()
    if text not in ("", "0", "1", "no", "yes"):
        raise SettingsError(f"{name} is {text!r}; it must be 1 or 0.")
    return text in ("1", "yes") if text else default


def _base_domain(given: Mapping[str, str]) -> str:
    value = (given.get("QIKBIZ_BASE_DOMAIN") or "localhost").strip().lower().rstrip(".")
    if not value or any(c in value for c in "/:@ "):
        raise SettingsError(f"QIKBIZ_BASE_DOMAIN is {value!r}; give a bare domain such as crm.example.org.")
    return value


def _address(given: Mapping[str, str], name: str, default: str) -> str:
    try:
        return str(ip_address(given.get(name) or default))
    except ValueError as error:
        raise SettingsError(f"{name}: {error}. Give an address of this machine, such as 127.0.0.1.") from error


def _countries(given: Mapping[str, str]) -> tuple[str, ...]:
    countries = tuple(given.get("QIKBIZ_HOLIDAY_COUNTRIES", "US DE GB").replace(",", " ").upper().split())
    if not countries or not all(len(country) == 2 and country.isalpha() for country in countries):
        raise SettingsError("QIKBIZ_HOLIDAY_COUNTRIES must name one country or more, such as US DE GB.")
    return countries


def _support_address(given: Mapping[str, str]) -> str:
    value = (given.get("QIKBIZ_SUPPORT_ADDRESS") or f"support@{_base_domain(given)}").strip().lower()
    local, _, domain = value.partition("@")
    # The token of a ticket has 40 characters, and a local part at most 64 (RFC 5321 4.5.3.1.1).
    if not local or not domain or len(local) > 24 or any(c in value for c in "+<>,; "):
        raise SettingsError(f"QIKBIZ_SUPPORT_ADDRESS is {value!r}; give a bare address such as support@example.org.")
    return value


def _operator(given: Mapping[str, str]) -> Operator:
    try:
        return operator_of(given)
    except OperatorUnknown as error:
        raise SettingsError(str(error)) from None


def _networks(given: Mapping[str, str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    words = given.get(name, "").replace(",", " ").split()
    try:
        return tuple(ip_network(word) for word in words)
    except ValueError as error:
        raise SettingsError(f"{name}: {error}. Give addresses or networks such as 10.0.0.0/8.") from error


def _key_ring(given: Mapping[str, str], environment: Environment, home: Path) -> KeyRing:
    text = _secret(given, "QIKBIZ_KEYS")
    if text:
        try:
            return KeyRing.parse(text)
        except ValueError as error:
            raise SettingsError(f"QIKBIZ_KEYS can't be used: {error}") from error
    if environment == "production":
        raise SettingsError(f"QIKBIZ_KEYS is not set. {_MAKE_KEYS}")
    return development_key_ring(home)


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
            raise SettingsError(sentence)
    _refuse_open_lines(settings)
    try:
        refuse_unknown(settings.operator)
    except OperatorUnknown as error:
        raise SettingsError(str(error)) from None


def _refuse_open_lines(settings: Settings) -> None:
    for name, url, is_protected, instead in (
        ("QIKBIZ_CONTROL_URL", settings.control_url, postgres_is_protected, _VERIFIED),
        ("QIKBIZ_PROVISIONER_URL", settings.provisioner_url, postgres_is_protected, _VERIFIED),
        ("QIKBIZ_REDIS_URL", settings.redis_url, redis_is_protected, "use rediss:// or unix://"),
        ("QIKBIZ_SMTP_URL", settings.smtp_url, smtp_is_protected, "use smtps:// or smtp+starttls://"),
    ):
        if url and not is_protected(url):
            raise SettingsError(f"{name} is reached without verified TLS: {instead}.")


def postgres_is_protected(url: str) -> bool:
    """True for unix sockets or a verified TLS connection."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    hosts = (query.get("host") or [parts.hostname or ""])[-1].split(",")
    # `hostaddr` is where libpq really connects to, not `host`.
    is_local = all(host.startswith("/") for host in hosts) and "hostaddr" not in query
    return is_local or query.get("sslmode") == ["verify-full"]


def redis_is_protected(url: str) -> bool:
    """True for a unix socket or TLS with the certificate and the name in it checked."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    is_checked = query.get("ssl_cert_reqs", ["required"]) == ["required"] and not query.keys() & {
        "ssl_check_hostname",
        "ssl_exclude_verify_flags",
    }
    return parts.scheme == "unix" or (parts.scheme == "rediss" and is_checked)


def smtp_is_protected(url: str) -> bool:
    return urlsplit(url).scheme in ("smtps", "smtp+starttls")
