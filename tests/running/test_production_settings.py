"""Production refuses to start, in a sentence, when a secret is missing or a server is reached in the clear."""

from dataclasses import fields
from pathlib import Path

import pytest

from config.keys import new_key_ring_json
from config.settings import Settings, SettingsError, load_settings
from config.variables import Variable, with_files
from config.web_server.master import serve

SAFE = {
    "QIKBIZ_ENV": "production",
    "QIKBIZ_KEYS": new_key_ring_json(),
    "QIKBIZ_CONTROL_URL": "postgresql://qb_control:secret@db.example.org/qikbiz_control?sslmode=verify-full",
    "QIKBIZ_PROVISIONER_URL": "postgresql://qb_provisioner:secret@db.example.org/qikbiz_tenants?sslmode=verify-full",
    "QIKBIZ_REDIS_URL": "rediss://:secret@redis.example.org:6380/0",
    "QIKBIZ_SMTP_URL": "smtp+starttls://mail.example.org",
    "QIKBIZ_BASE_DOMAIN": "crm.example.org",
    "QIKBIZ_COMPANY_NAME": "Example CRM Ltd",
    "QIKBIZ_COMPANY_ADDRESS": "1 Example Street, Dublin 2, Ireland",
    "QIKBIZ_HOSTING": "Frankfurt, Germany",
    "QIKBIZ_SUBPROCESSORS": "none",
}


@pytest.mark.promise("P7")
def test_safe_settings_are_taken_and_the_web_needs_no_provisioner() -> None:
    assert load_settings(SAFE).is_production
    web = {name: value for name, value in SAFE.items() if name != "QIKBIZ_PROVISIONER_URL"}
    assert load_settings(web).provisioner_url is None


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"QIKBIZ_KEYS": ""}, "QIKBIZ_KEYS is not set"),
        ({"QIKBIZ_KEYS": new_key_ring_json(development=True)}, "QIKBIZ_KEYS is the development key"),
        ({"QIKBIZ_KEYS": '{"keys": []}'}, "exactly one key must be active"),
        ({"QIKBIZ_CONTROL_URL": "", "QIKBIZ_REDIS_URL": ""}, "Production needs servers of its own"),
        ({"QIKBIZ_REDIS_URL": ""}, "Set both QIKBIZ_CONTROL_URL and QIKBIZ_REDIS_URL"),
        ({"QIKBIZ_CONTROL_URL": "postgresql://q:s@db.example.org/c"}, "QIKBIZ_CONTROL_URL is reached without verified"),
        ({"QIKBIZ_CONTROL_URL": "postgresql://q@db.example.org/c?sslmode=require"}, "without verified TLS"),
        ({"QIKBIZ_PROVISIONER_URL": "postgresql://q@db.example.org/t?sslmode=prefer"}, "QIKBIZ_PROVISIONER_URL is"),
        ({"QIKBIZ_REDIS_URL": "redis://redis.example.org/0"}, "QIKBIZ_REDIS_URL is reached without verified TLS"),
        ({"QIKBIZ_REDIS_URL": "rediss://redis.example.org/0?ssl_cert_reqs=none"}, "QIKBIZ_REDIS_URL is reached"),
        ({"QIKBIZ_CONTROL_URL": "postgresql://q@/c?host=/run,db.example.org"}, "QIKBIZ_CONTROL_URL is reached"),
        ({"QIKBIZ_CONTROL_URL": "postgresql://q@/c?host=/run&hostaddr=10.0.0.1"}, "QIKBIZ_CONTROL_URL is reached"),
        ({"QIKBIZ_CONTROL_URL": "postgresql://d/c?sslmode=verify-full&sslmode=disable"}, "QIKBIZ_CONTROL_URL is"),
        ({"QIKBIZ_CONTROL_URL": "postgresql://d/c?sslmode=verify-ca"}, "QIKBIZ_CONTROL_URL is"),
        ({"QIKBIZ_REDIS_URL": "rediss://r/0?ssl_check_hostname=false"}, "QIKBIZ_REDIS_URL is reached"),
        ({"QIKBIZ_REDIS_URL": "rediss://r/0?ssl_cert_reqs=required&ssl_cert_reqs=none"}, "QIKBIZ_REDIS_URL is reached"),
        ({"QIKBIZ_SMTP_URL": ""}, "QIKBIZ_SMTP_URL is not set"),
        ({"QIKBIZ_SMTP_URL": "smtp://mail.example.org"}, "QIKBIZ_SMTP_URL is reached without verified TLS"),
        ({"QIKBIZ_BASE_DOMAIN": ""}, "QIKBIZ_BASE_DOMAIN is not set"),
        ({"QIKBIZ_BASE_DOMAIN": "https://crm.example.org"}, "give a bare domain"),
        ({"QIKBIZ_COMPANY_NAME": ""}, "QIKBIZ_COMPANY_NAME is not set"),
        ({"QIKBIZ_COMPANY_ADDRESS": " "}, "QIKBIZ_COMPANY_ADDRESS is not set"),
        ({"QIKBIZ_HOSTING": ""}, "QIKBIZ_HOSTING is not set"),
        ({"QIKBIZ_SUBPROCESSORS": " ; "}, "QIKBIZ_SUBPROCESSORS is not set"),
        ({"QIKBIZ_COMPANY_NAME": "x" * 2001}, "QIKBIZ_COMPANY_NAME must be plain text"),
        ({"LOGIN_DISABLED": "1"}, "LOGIN_DISABLED is set"),
        ({"PORT": "eighty"}, "PORT is 'eighty'"),
        ({"PORT": "70000"}, "PORT is 70000; give a number from 1 to 65535"),
        ({"PORT": "0"}, "PORT is 0; give a number from 1 to 65535"),
        ({"QIKBIZ_HOME": "/srv/o'neill"}, "without quotation marks"),
        ({"QIKBIZ_HOME": '/srv/a"b'}, "without quotation marks"),
        ({"QIKBIZ_HOME": "/srv/a\nb"}, "without quotation marks"),
        ({"QIKBIZ_FAULT": "job.before_claim=kill"}, "QIKBIZ_FAULT is set"),
        ({"QIKBIZ_FAULT_DIR": "/tmp"}, "QIKBIZ_FAULT is set"),
        ({"QIKBIZ_TRUSTED_PROXIES": "10.0.0.0/33"}, "QIKBIZ_TRUSTED_PROXIES"),
        ({"QIKBIZ_LISTEN": "example.org"}, "QIKBIZ_LISTEN"),
        ({"QIKBIZ_ENV": "prod"}, "QIKBIZ_ENV is 'prod'"),
        # Not taken for development, which would start without a key.
        ({"QIKBIZ_ENV": ""}, "QIKBIZ_ENV is ''"),
        ({"QIKBIZ_HOLIDAY_COUNTRIES": ""}, "QIKBIZ_HOLIDAY_COUNTRIES must name one country or more"),
        ({"QIKBIZ_SSO_PRIVATE_ISSUERS": "maybe"}, "QIKBIZ_SSO_PRIVATE_ISSUERS is 'maybe'; it must be 1 or 0."),
        ({"QIKBIZ_LEAKED_PASSWORDS_URL": "http://range.example.org/"}, "QIKBIZ_LEAKED_PASSWORDS_URL is reached"),
        ({"QIKBIZ_SUPPORT_ADDRESS": "support+us@example.org"}, "give a bare address such as support@example.org"),
    ],
)
def test_anything_unsafe_is_refused_in_a_clear_sentence(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings(SAFE | change)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.promise("P7")
def test_without_a_proxy_that_ends_tls_the_web_does_not_start() -> None:
    with pytest.raises(SettingsError, match="QIKBIZ_TRUSTED_PROXIES is not set"):
        serve(load_settings(SAFE))


def test_a_secret_may_come_from_a_file_and_a_missing_file_is_named(tmp_path: Path) -> None:
    ring = tmp_path / "keys"
    ring.write_text(SAFE["QIKBIZ_KEYS"] + "\n")
    given = SAFE | {"QIKBIZ_KEYS": "", "QIKBIZ_KEYS_FILE": str(ring)}
    assert not load_settings(given).keys.is_development
    with pytest.raises(SettingsError, match=r"QIKBIZ_KEYS_FILE names .*nowhere, which can't be read"):
        load_settings(given | {"QIKBIZ_KEYS_FILE": str(tmp_path / "nowhere")})


VARIABLES = [field.metadata["variable"] for field in fields(Settings) if "variable" in field.metadata]


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_each_default_is_read_as_the_variable_itself_would_be(variable: Variable) -> None:
    for environment in ("development", "test", "production"):
        known = {"environment": environment, "base_domain": "crm.example.org"}
        default = variable.default(known) if callable(variable.default) else variable.default
        assert default is None or variable.read(default) is not None


@pytest.mark.parametrize("variable", [each for each in VARIABLES if each.name != "PORT"], ids=lambda each: each.name)
def test_each_variable_may_come_from_a_file(variable: Variable, tmp_path: Path) -> None:
    (tmp_path / "value").write_text("nonsense\n")
    with pytest.raises(ValueError, match=r"which can't be read"):
        with_files({f"{variable.name}_FILE": str(tmp_path)})
    filled = with_files({variable.name: "other", f"{variable.name}_FILE": str(tmp_path / "value")})
    assert filled[variable.name] == "nonsense"


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    empty = {name: "" for name in ("PORT", "QIKBIZ_HOME", "QIKBIZ_LISTEN", "QIKBIZ_TRUSTED_PROXIES", "QIKBIZ_KEYS")}
    assert load_settings(empty) == load_settings({})


def test_production_is_served_over_https_whatever_the_scheme_says() -> None:
    assert load_settings(SAFE | {"QIKBIZ_SCHEME": "http"}).public_scheme == "https"


def test_nothing_else_reads_the_environment() -> None:
    root = Path(__file__).parents[2]
    readers = [
        path.relative_to(root).as_posix()
        for folder in ("config", "tenants", "platform", "provisioning", "workers")
        for path in (root / folder).rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    ]
    assert [path for path in readers if path not in {"config/settings.py", "config/fault_injection.py"}] == []
