"""No command, page of the console or job gives an operator a login in an organisation that has users.

Every command, every page of the console that changes something and every kind of job is listed here: either it is
tried against an organisation in which people work, or the reason says why it has nothing to do with one. A new one
fails the test until it is listed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from provisioning.application import working_application
from provisioning.cli import qikbiz
from provisioning.servers import Connection
from qikbiz.jobs.actions import enqueue, enqueue_platform
from qikbiz.jobs.kinds import kinds
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.mail.models import Mail
from tenants.context import Tenant
from tests.fixtures.grants import Customer
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workers.run_job import perform

pytestmark = pytest.mark.promise("P8")
PASSWORD = "the red stapler is on my desk"
THIEF = "thief@operators.example"
LINK = re.compile(r"/(invitation|new-password)/[\w-]{20,}")

# Of each command: the words after it, in which {slug} is the organisation; or why it is not tried.
COMMANDS: dict[str, tuple[str, ...] | str] = {
    "audit export": "Reads the platform's audit.",
    "audit verify": "Reads a file.",
    "demo": "Refused in production; leaves organisations alone in which somebody is active.",
    "doctor": "Reads servers.",
    "domain add": ("{slug}", "thief.example"),
    "domain list": ("{slug}",),
    "domain remove": ("{slug}", "thief.example"),
    "domain verify": ("{slug}", "thief.example"),
    "export": ("--tenant", "{slug}", "--instruction", "invented", "--output", "{folder}/all.zip"),
    "import": ("--tenant", "{slug}", "--instruction", "invented", "{folder}/people.csv"),
    "keys new": "Prints keys.",
    "migrate": ("--tenant", "{slug}"),
    "receipt": "Reads a file.",
    "staff create": "A login at the console; the pages of the console are tried below.",
    "staff invite": "A login at the console, as with create.",
    "staff reset-factors": "Of a login at the console.",
    "tenant create": ("{slug}", "--name", "Taken over", "--admin-email", THIEF),
    "tenant list": (),
    "tenant rename": ("{slug}", "--name", "Served Ltd"),
    "tenant resume": ("{slug}",),
    "tenant seats": ("{slug}", "500"),
    "tenant show": ("{slug}",),
    "tenant suspend": ("{slug}", "--reason", "Unpaid"),
    "tenant delete": ("{slug}", "--yes", "{slug}", "--days", "0"),
    "tickets receive": "Reads a mail.",
    "undo-import": (str(uuid4()), "--tenant", "{slug}", "--instruction", "invented"),
    "up": "Starts the product.",
    "user create": ("--tenant", "{slug}", "--email", THIEF, "--name", "Thief", "--role", "administrator"),
    "verify": "Reads a file.",
}

# Pages of the console that have to do with no one organisation.
ELSEWHERE = (
    "announcements.",
    "console.revoke_rule",
    "console.announce_statement",
    "console.withdraw_statement",
    "staff.",
)
FORM = {
    "slug": "{slug}", "name": "Taken over", "admin_email": THIEF, "email": THIEF, "role": "administrator",
    "password": PASSWORD, "reason": "Because", "typed": "{slug}", "scope": "everything", "product": "portable",
    "instruction": "Mail of nobody", "seats": "", "body": "Words", "state": "open", "staff": "", "type": "contacts",
    "key": "email", "mode": "upsert", "days": "1",
}  # fmt: skip
REFUSED_FIELD = re.compile("The form has no field named “([^”]+)”")
LAST = ("suspension", "deletion")

# Of each kind of job: what an operator might have it do; or why it makes no login.
JOBS: dict[str, dict[str, Any] | str] = {
    "tenants.create": {"slug": "{slug}"},
    "jobs.retry": {"tenant": "{id}", "job": "{uuid}"},
    "grants.open": {"grant": "{uuid}"},
    "grants.close": {},
    "sessions.invalidate": {"people": ["{ann}"]},
    "sessions.delete_old": {},
    "records.transfer": {"from": "{ann}", "to": "{ann}", "by": "{uuid}"},
    "exports.create": {"export": "{uuid}"},
    "imports.check": {"import": "{uuid}"},
    "imports.apply": {"import": "{uuid}"},
    "imports.undo": {"import": "{uuid}"},
    "mail.send": {"mail": "{uuid}"},
    "data_subjects.erase": {"erasure": "{uuid}"},
    "data_subjects.erase_again": {},
    "notifications.digest": {"user": "{ann}"},
    "announcements.deliver": {"announcement": "{uuid}"},
    "statements.notify": {"statement": 1},
}
WITHOUT_LOGINS = {
    name: "Counts, measures, forgets, or works on the platform alone."
    for name in (
        "exports.expire", "imports.delete_old", "mail.send_platform", "mail.delete_old", "mail.delete_old_platform",
        "announcements.send", "announcements.count", "notifications.delete_old", "ip_reputation.check",
        "ip_reputation.delete_old", "ip_reputation.measure_false_positives", "access_log.delete_old",
        "sessions.delete_old_staff", "sessions.invalidate_staff", "audit.verify", "jobs.delete_old",
        "jobs.delete_old_platform", "statements.probe", "jobs.enqueue_for_tenants", "tenants.erase", "audit.delete_old",
        "account_closures.advance", "tenants.measure",
    )
}  # fmt: skip

# The link goes to the address that the account has, not to the person who asks for it, as on the page itself.
WITHOUT_LOGINS |= dict.fromkeys(("passwords.link", "passwords.link_staff"), "A mail to whose login it is.")


class Logins:
    """What opens a login of the organisation, read from outside."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection, self._schema = connection, schema
        self.before = self._all()

    def _all(self) -> dict[str, list[Any]]:
        return {
            "users": self._rows("SELECT id, email, roles, state, password_hash FROM {}.users ORDER BY id"),
            "sessions": self._rows("SELECT id_hash FROM {}.user_sessions ORDER BY 1"),
            "tokens": self._rows("SELECT person_id, purpose FROM {}.user_tokens WHERE used_at IS NULL ORDER BY 1"),
            "factors": self._rows("SELECT id FROM {}.user_factors ORDER BY id"),
            "remembered": self._rows("SELECT series_hash FROM {}.remember_series ORDER BY 1"),
            "policy": self._rows("SELECT * FROM {}.sign_in_policy"),
            "provider": self._rows("SELECT * FROM {}.sso_provider"),
        }

    def _rows(self, statement: str) -> list[Any]:
        return self._connection.execute(statement.format(self._schema).encode()).fetchall()

    def check(self, what: str, *said: str) -> None:
        """Nothing new opens an account; a new entry of the list is only waiting, without a link."""
        now = self._all()
        new = [row for row in now.pop("users") if row not in self.before["users"]]
        assert all(row[3] == "invited" and row[4] is None for row in new), what
        assert now == {name: rows for name, rows in self.before.items() if name != "users"}, what
        assert not any(LINK.search(text) for text in said), what


@pytest.fixture
def logins(customer: Customer, owner_connection: Connection) -> Logins:
    return Logins(owner_connection, customer.tenant.schema)


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr("config.settings.load_settings", lambda: world.settings)
    return lambda *words, stdin=None: CliRunner().invoke(qikbiz, list(words), input=stdin)


def _leaves(command: click.Command, name: str = "") -> Iterator[str]:
    if isinstance(command, click.Group):
        for word in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), word)
            assert found is not None
            yield from _leaves(found, f"{name} {word}".strip())
    else:
        yield name


def test_no_command_gives_a_login(customer: Customer, logins: Logins, run: Callable[..., Any], tmp_path: Path) -> None:
    assert set(_leaves(qikbiz)) == set(COMMANDS)
    (tmp_path / "people.csv").write_text("First name,Email\nAnn,ann@example.com\n")
    given = {"slug": customer.tenant.slug, "folder": str(tmp_path)}
    tried = {name: words for name, words in COMMANDS.items() if not isinstance(words, str)}
    for name in sorted(tried, key=lambda one: one == "tenant delete"):
        words = [word.format_map(given) for word in tried[name]]
        done = run(*name.split(), *words)
        logins.check(name, done.output)
        assert done.exit_code in (0, 1), (name, done.output)
    taken = run("user", "create", *[word.format_map(given) for word in tried["user create"]], "--password-stdin")
    assert taken.exit_code == 1


def test_a_command_only_asks_the_administrators_who_invite_or_don_t(
    customer: Customer, logins: Logins, run: Callable[..., Any], browser_at: Callable[[str], Browser]
) -> None:
    words = ("user", "create", "--tenant", customer.tenant.slug, "--email", THIEF, "--name", "Theo", "--role")
    refused = run(*words, "administrator", "--password-stdin", stdin=PASSWORD + "\n")
    assert refused.exit_code == 1 and "no password is accepted" in refused.output
    asked = json.loads(run(*words, "administrator", "--json").output)
    assert asked["outcome"] == "proposed"
    logins.check("user create")
    assert ("tenant.user_proposed" in customer.platform_acts(), "user.proposed" in _acts(customer)) == (True, True)
    with tenant_transaction(customer.tenant) as session:
        sent = session.execute(select(Mail.template, Mail.to_name).where(Mail.template != "new_device")).all()
    assert [tuple(row) for row in sent if row.to_name != "office"] == [("operator_login", "Ann")]
    browser = browser_at(customer.tenant.host)
    browser.post("/forgot", {"email": THIEF})
    logins.check("/forgot for somebody who is only proposed")
    assert "Not invited yet" in customer.ann.get("/users").text
    assert customer.rita.post(f"/users/{asked['id']}/invitation").status_code == 403
    assert customer.ann.post(f"/users/{asked['id']}/invitation").status_code == 303
    page = customer.ann.get(f"/users/{asked['id']}").text
    assert "Send again" in page and "Not invited yet" not in page


@pytest.mark.parametrize("path", ["command", "link"])
def test_the_first_who_gets_a_login_ends_the_invitations_sent_before(
    path: str, world: World, run: Callable[..., Any], browser_at: Callable[[str], Browser], working: object
) -> None:
    """An operator can make an organisation for an address of their own; its link is worth nothing once others work."""
    slug = f"first-{path}-org"
    made = run("tenant", "create", slug, "--name", "Hooli", "--admin-email", THIEF, "--json")
    link = json.loads(made.output)["invitation_url"]
    tenant = _tenant(world, slug)
    browser = browser_at(tenant.host)
    words = ("user", "create", "--tenant", slug, "--email", "gavin@example.com", "--name", "Gavin", "--role")
    if path == "command":
        done = run(*words, "administrator", "--password-stdin", stdin=PASSWORD + "\n")
        assert done.exit_code == 0, done.output
        told = _told(tenant)
        assert ("operator_login", "gavin@example.com") in told and ("operator_login", THIEF) in told
    else:
        with working_application(world.settings), tenant_transaction(tenant):
            from qikbiz.identity.members.actions import invite_user

            own = invite_user("gavin@example.com", "Gavin", ["administrator"])
        answer = browser.post("/invitation/" + own.rsplit("/", 1)[1], {"name": "Gavin", "password": PASSWORD})
        assert answer.status_code == 303
    late = browser_at(tenant.host).post("/invitation/" + link.rsplit("/", 1)[1], {"name": "X", "password": PASSWORD})
    assert late.status_code == 410


def test_an_invitation_that_waits_is_sent_again_and_never_taken_over(
    run: Callable[..., Any], fresh_tenant: Callable[..., Tenant], owner_connection: Connection, working: object
) -> None:
    tenant = fresh_tenant("Waiting")
    words = ("user", "create", "--tenant", tenant.slug, "--email", f"office@{tenant.slug}.example.com")
    done = run(*words, "--name", "Office", "--role", "administrator", "--password-stdin", "--json", stdin=PASSWORD)
    assert json.loads(done.output)["outcome"] == "invited"
    found = owner_connection.execute(f"SELECT state, password_hash FROM {tenant.schema}.users".encode()).fetchall()
    assert found == [("invited", None)]
    assert not LINK.search(done.output)


def test_no_page_of_the_console_gives_a_login(customer: Customer, logins: Logins) -> None:
    grant = customer.give("see", "change", "import", "export")
    ticket = _ticket(customer)
    given = {
        "slug": customer.tenant.slug, "grant_id": str(grant.id), "act_id": str(uuid4()), "job_id": str(uuid4()),
        "reference": ticket, "closing_id": str(uuid4()), "kind": "imports",
    }  # fmt: skip
    rules = [
        rule
        for rule in customer.olivia.app.url_map.iter_rules()
        if rule.subdomain == "console" and "POST" in (rule.methods or ()) and rule.arguments
    ]
    tried = [rule for rule in rules if rule.arguments <= given.keys()]
    assert [rule.endpoint for rule in rules if rule not in tried and not rule.endpoint.startswith(ELSEWHERE)] == []
    assert len(tried) >= 15
    form = {name: value.format_map(given) for name, value in FORM.items()} | {"grant": str(grant.id)}
    for rule in sorted(tried, key=lambda one: one.rule.endswith(LAST)):
        path = rule.rule.split("/", 1)[1]
        path = "/" + re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda match: given[match[1]], path)
        answer = _post_what_is_taken(customer.olivia, path, form | {"id": str(uuid4())}, logins)
        assert answer.status_code < 500, path
    answer = _post_what_is_taken(customer.olivia, "/tenants", form, logins)
    assert answer.status_code == 409


def _post_what_is_taken(olivia: Browser, path: str, form: dict[str, str], logins: Logins) -> Any:
    """A form refuses fields that it doesn't have: send it once more without each of them, until it is taken."""
    while True:
        answer = olivia.post(path, form, check=False)
        logins.check(path, answer.text)
        refused = REFUSED_FIELD.search(answer.text)
        if refused is None:
            return answer
        form = {name: value for name, value in form.items() if name != refused[1]}


def test_no_job_gives_a_login(customer: Customer, logins: Logins, world: World, owner_connection: Connection) -> None:
    declared = {name for name in kinds() if not name.startswith("test.")}
    assert declared == set(JOBS) | set(WITHOUT_LOGINS), "Say of a new kind of job whether it could make a login."
    ann = owner_connection.execute(
        f"SELECT id FROM {customer.tenant.schema}.users WHERE name = 'Ann'".encode()
    ).fetchone()
    assert ann is not None
    given = {"slug": customer.tenant.slug, "id": str(customer.tenant.id), "uuid": str(uuid4()), "ann": str(ann[0])}
    for name, arguments in JOBS.items():
        assert isinstance(arguments, dict)
        filled = json.loads(re.sub(r"\{(\w+)\}", lambda match: given[match[1]], json.dumps(arguments)))
        if kinds()[name].is_platform:
            with control_transaction():
                job_id = enqueue_platform(name, filled).id
            perform(None, job_id)
        else:
            with tenant_transaction(customer.tenant):
                job_id = enqueue(name, filled).id
            perform(customer.tenant.id, job_id)
        logins.check(name)


def _acts(customer: Customer) -> list[str]:
    return [act for act, _, _ in customer.acts()]


def _told(tenant: Tenant) -> list[tuple[str, str]]:
    with tenant_transaction(tenant) as session:
        return [(row.template, row.to_address) for row in session.execute(select(Mail.template, Mail.to_address))]


def _tenant(world: World, slug: str) -> Tenant:
    world.runtime.directory.look()
    found = world.runtime.directory.tenant_by_slug(slug)
    assert found is not None
    return found


def _ticket(customer: Customer) -> str:
    answer = customer.ann.post("/help", {"topic": "export", "subject": "All of it", "body": "Please", "once": "1"})
    assert answer.status_code == 303, answer.text[-500:]
    return answer.location.rsplit("/", 1)[1]
