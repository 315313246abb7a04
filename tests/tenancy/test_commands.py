"""The command line about tenants, as scripts use it: one JSON object, exit codes, errors on stderr."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from provisioning.application import working_application
from provisioning.cli import qikbiz
from qikbiz.identity.passwords.hashing import matches
from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant
from tenants.schema_version import HEAD
from tests.fixtures.world import World

Run = Callable[..., Result]
PASSWORD = "the red stapler is on my desk"


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("config.settings.load_settings", lambda: world.settings)

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        # Wide enough that no table is cut.
        return CliRunner(env={"COLUMNS": "200"}).invoke(qikbiz, list(arguments), input=stdin)

    return invoke


@pytest.fixture(scope="module")
def unused(make_tenant: Callable[..., Tenant]) -> Tenant:
    """A tenant without a user."""
    return make_tenant("Unused")


def facts(result: Result, *, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    assert result.stdout.count("\n") == 1, "one JSON object and nothing else"
    return json.loads(result.stdout)


def test_tenant_create(run: Run) -> None:
    made = facts(
        run("tenant", "create", "initech", "--name", "Initech", "--admin-email", "bill@initech.example", "--json")
    )
    assert {"slug", "schema", "role", "cell", "version", "url", "invitation_url", "seconds"} <= set(made)
    assert (made["slug"], made["version"], made["url"]) == ("initech", HEAD, "http://initech.localhost:8000")
    again = run("tenant", "create", "initech", "--name", "Initech", "--admin-email", "bill@initech.example", "--json")
    assert facts(again, code=1) == {"error": "A tenant “initech” already exists; it is active."}
    assert again.stderr == "qikbiz: A tenant “initech” already exists; it is active.\n"


def test_a_refused_name_is_one_sentence_on_stderr(run: Run) -> None:
    result = run("tenant", "create", "xn--a", "--name", "A", "--admin-email", "a@example.com")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "qikbiz: “xn--a” has two hyphens in a row; use one.\n"


def test_what_is_not_understood_ends_with_2(run: Run) -> None:
    assert run("tenant", "create", "abc").exit_code == 2
    assert run("tenant", "fly", "abc").exit_code == 2
    assert (
        run("user", "create", "--tenant", "acme", "--email", "a@b.co", "--name", "A", "--role", "boss").exit_code == 2
    )
    assert run("migrate", "--jobs", "0").exit_code == 2


def test_tenant_list_and_show(run: Run, world: World) -> None:
    listed = facts(run("tenant", "list", "--json"))["tenants"]
    acme = next(tenant for tenant in listed if tenant["slug"] == "acme")
    assert {"slug", "name", "state", "version", "users", "bytes", "last_seen"} <= set(acme)
    assert (acme["name"], acme["state"], acme["version"]) == ("Acme Industrial", "active", HEAD)
    assert acme["users"] >= 3 and acme["bytes"] > 0
    shown = facts(run("tenant", "show", "acme", "--json"))
    assert shown["schema"] == world.acme.tenant.schema
    assert set(acme) <= set(shown)
    assert "Acme Industrial" in run("tenant", "list").stdout
    assert "acme.localhost" in run("tenant", "show", "acme").stdout
    assert facts(run("tenant", "show", "nobody", "--json"), code=1) == {"error": "There is no tenant “nobody”."}


def test_suspend_resume_rename_delete(run: Run, fresh_tenant: Callable[..., Tenant]) -> None:
    slug = fresh_tenant("Passing").slug
    assert facts(run("tenant", "suspend", slug, "--reason", "Unpaid", "--json"))["state"] == "suspended"
    assert facts(run("tenant", "resume", slug, "--json"))["state"] == "active"
    assert facts(run("tenant", "rename", slug, "--to", f"{slug}-new", "--json"))["slug"] == f"{slug}-new"
    slug = f"{slug}-new"
    assert "confirm with --yes" in run("tenant", "delete", slug).stderr
    assert facts(run("tenant", "delete", slug, "--yes", slug, "--json"))["state"] == "closing"
    assert "will be erased after" in run("tenant", "delete", slug, "--yes", slug).stdout
    assert facts(run("tenant", "delete", slug, "--yes", slug, "--now", "--json"))["state"] == "closed"


def test_user_create(run: Run, world: World, fresh_tenant: Callable[..., Tenant]) -> None:
    tenant = fresh_tenant("Peopled")
    options = ("--tenant", tenant.slug, "--email", "milton@example.com", "--name", "Milton", "--role")
    refused = facts(run("user", "create", *options, "member", "--password-stdin", "--json", stdin=PASSWORD), code=1)
    assert "the first one must be an administrator" in refused["error"]
    stdin = f"{PASSWORD}\n"
    made = facts(run("user", "create", *options, "administrator", "--password-stdin", "--json", stdin=stdin))
    assert (made["email"], made["role"], made["outcome"]) == ("milton@example.com", "administrator", "created")
    with working_application(world.settings), tenant_transaction(tenant) as session:
        row = session.execute(text("SELECT id, state, password_hash FROM users WHERE name = 'Milton'")).one()
        assert (str(row.id), row.state) == (made["id"], "active")
        assert matches(row.password_hash, PASSWORD)
        audit = session.execute(text("SELECT action, record_id FROM audit_events WHERE action = 'user.created'")).one()
        assert tuple(audit) == ("user.created", row.id)
    again = run("user", "create", *options, "administrator", "--json")
    assert facts(again, code=1)["error"] == "milton@example.com is on the list of users already."


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        ("", "No password on standard input"),
        ("\n", "No password on standard input"),
        ("short\n", "at least 15"),
        ("milton@example.com\n", ""),
    ],
)
def test_a_bad_password_makes_no_login(run: Run, unused: Tenant, stdin: str, said: str) -> None:
    options = ("--tenant", unused.slug, "--email", "milton@example.com", "--name", "Milton", "--role", "administrator")
    result = run("user", "create", *options, "--password-stdin", stdin=stdin)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr


def test_a_password_is_never_an_option_and_never_asked_of_a_pipe(run: Run, unused: Tenant) -> None:
    options = ("--tenant", unused.slug, "--email", "milton@example.com", "--name", "Milton", "--role", "administrator")
    assert run("user", "create", *options, "--password", PASSWORD).exit_code == 2
    assert "--password-stdin" in run("user", "create", *options).stderr


def test_staff_create(run: Run) -> None:
    options = ("--email", "grace@qikbiz.example", "--name", "Grace", "--role", "auditor", "--password-stdin")
    made = facts(run("staff", "create", *options, "--json", stdin=f"{PASSWORD}\n"))
    assert (made["email"], made["role"]) == ("grace@qikbiz.example", "auditor")
    assert facts(run("staff", "create", *options, "--json", stdin=f"{PASSWORD}\n"), code=1)["error"]


def test_migrate(run: Run) -> None:
    report = facts(run("migrate", "--jobs", "2", "--json"))
    assert {"head", "done", "failed", "skipped", "seconds"} <= set(report)
    assert (report["head"], report["done"], report["failed"]) == (HEAD, 0, [])
    assert report["skipped"] >= 2
    assert facts(run("migrate", "--tenant", "acme", "--json"))["skipped"] == 1
    assert "no tenant" in run("migrate", "--tenant", "nobody").stderr
    assert HEAD in run("migrate").stdout
