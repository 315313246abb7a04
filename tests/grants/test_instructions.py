"""A written instruction runs only after it was confirmed, and never opens a support session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from provisioning.cli import qikbiz
from provisioning.instructions import Authority, on_authority
from qikbiz.kernel import clock as system_clock
from qikbiz.kernel.database import NoGrant, control_transaction, tenant_transaction
from qikbiz.kernel.errors import Failure
from qikbiz.messaging.mail.models import Mail
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.imports.models import Import
from qikbiz.trust.grants.models import AccessPolicy, Grant, Visit
from qikbiz.trust.grants.queries import is_in_force
from qikbiz.trust.grants.scopes import GrantScope
from qikbiz.trust.tickets.models import Ticket
from tenants.context import Tenant
from tests.fixtures.grants import Clock, Customer, way_in
from tests.fixtures.people import Person
from tests.fixtures.world import World

pytestmark = pytest.mark.promise("P8")
WORDS = "Mail of Ann Lee, 3 November"


def test_nothing_is_done_before_an_administrator_confirms(customer: Customer) -> None:
    grant = customer.record("export")
    assert (grant.state, grant.confirmed_at, customer.opened(grant)) == ("waiting", None, False)
    assert _mails(customer, "instruction_recorded") == ["Ann"]
    page = customer.ann.get(f"/access/{grant.id}").text
    assert "Did you ask for this?" in page and "Confirm" in page and WORDS in page
    assert "Awaiting confirmation" in customer.ann.get("/access").text
    assert grant.reference in customer.sam.get(f"/tenants/{customer.tenant.slug}/support").text
    assert _ask_export(customer, grant) == 403
    assert customer.rita.post(f"/access/{grant.id}/confirmation").status_code == 403
    assert customer.ann.post(f"/access/{grant.id}/confirmation").status_code == 303
    assert customer.ann.post(f"/access/{grant.id}/confirmation").status_code == 409
    customer.run_platform_jobs("grants.open")
    assert _ask_export(customer, grant) == 303
    done = [act for act, _, _ in customer.acts()]
    assert done.count("grant.instruction_recorded") == done.count("grant.instruction_confirmed") == 1
    assert "grant.instruction_confirmed" in customer.platform_acts()
    assert "Confirmed by" in customer.ann.get(f"/access/{grant.id}").text


def test_what_is_declined_or_not_confirmed_within_a_week_is_over(customer: Customer, clock: Clock) -> None:
    declined, forgotten = customer.record("export"), customer.record("import")
    assert customer.ann.post(f"/access/{declined.id}/end").status_code == 303
    assert customer.ann.post(f"/access/{declined.id}/confirmation").status_code == 409
    clock.move(days=8)
    assert customer.ann.post(f"/access/{forgotten.id}/confirmation").status_code in (303, 409)
    assert customer.grant(forgotten.id).confirmed_at is None


def test_another_organisation_confirms_nothing_here(
    customer: Customer, world: World, log_in: Callable[..., Any]
) -> None:
    grant = customer.record("export")
    # Signed in just now, so that no page asks for the password first.
    assert log_in(world.mallory).post(f"/access/{grant.id}/confirmation").status_code == 404
    assert customer.grant(grant.id).confirmed_at is None


def test_a_guest_inside_confirms_nothing(customer: Customer) -> None:
    grant = customer.record("export")
    inside = customer.enter(customer.give("see", "change", "import", "export"))
    assert inside.post(f"/access/{grant.id}/confirmation").status_code == 403
    assert inside.post("/access/policy", {"wait_hours": "24"}).status_code == 403


def test_a_second_member_of_staff_confirms_a_ticket_and_it_opens_after_the_wait(
    customer: Customer, clock: Clock
) -> None:
    answer = customer.ann.post("/access/policy", {"wait_hours": "48", "staff_may_confirm": "y"})
    assert answer.status_code == 303
    assert "access_policy.changed" in [act for act, _, _ in customer.acts()]
    grant = _from_ticket(customer, customer.ann)
    url = f"/tenants/{customer.tenant.slug}/support/{grant.id}/confirmation"
    assert customer.sam.post(url).status_code == 403, "whoever wrote it down"
    assert customer.olivia.post(url).status_code == 303
    assert customer.olivia.post(url).status_code == 409
    assert _mails(customer, "instruction_confirmed") == ["Ann"]
    confirmed = customer.grant(grant.id)
    assert confirmed.confirmed_how == "staff" and confirmed.opens_at is not None
    assert timedelta(hours=47.9) < confirmed.opens_at - system_clock.now() <= timedelta(hours=48)
    customer.run_platform_jobs("grants.open")
    _close_and_open(customer)
    assert _ask_export(customer, grant) == 403
    assert "Starts later" in customer.ann.get("/access").text
    clock.move(hours=48, minutes=1)
    _close_and_open(customer)
    assert is_in_force(customer.grant(grant.id))


def test_the_customer_ends_it_while_it_waits(customer: Customer, clock: Clock) -> None:
    grant = _from_ticket(customer, customer.ann)
    url = f"/tenants/{customer.tenant.slug}/support/{grant.id}/confirmation"
    assert customer.olivia.post(url).status_code == 303
    assert customer.ann.post(f"/access/{grant.id}/end").status_code == 303
    clock.move(hours=25)
    _close_and_open(customer)
    assert not customer.opened(grant)


def test_staff_confirm_nothing_that_no_administrator_asked_in_a_ticket(customer: Customer) -> None:
    elsewhere = customer.record("export")
    slug = customer.tenant.slug
    assert customer.olivia.post(f"/tenants/{slug}/support/{elsewhere.id}/confirmation").status_code == 409
    with control_transaction() as control:
        # As if it had come in by mail, whose sender can be forged.
        ticket = control.get_one(Ticket, elsewhere.ticket_id)
        ticket.person_id = _ann(customer)
        ticket.source = "mail"
    assert customer.olivia.post(f"/tenants/{slug}/support/{elsewhere.id}/confirmation").status_code == 409
    assert customer.ann.post("/access/policy", {"wait_hours": "24"}).status_code == 303
    asked = _from_ticket(customer, customer.ann)
    assert customer.olivia.post(f"/tenants/{slug}/support/{asked.id}/confirmation").status_code == 409
    assert customer.ann.post("/access/policy", {"wait_hours": "1"}).status_code == 400
    assert customer.rita.post("/access/policy", {"wait_hours": "24"}).status_code == 403


def test_the_database_knows_no_instruction_without_a_confirmation_and_no_visit_by_one(customer: Customer) -> None:
    grant = customer.record("export")
    for values in (
        {"state": "open"},
        {"state": "opening"},
        {
            "confirmed_how": "staff",
            "confirmed_by": grant.recorded_by,
            "opens_at": system_clock.now(),
            "state": "opening",
        },
    ):
        with pytest.raises(IntegrityError), control_transaction() as control:
            control.execute(update(Grant).where(Grant.id == grant.id).values(**values))
    with pytest.raises(IntegrityError), control_transaction() as control:
        control.add(
            Visit(
                grant_id=grant.id,
                tenant_id=grant.tenant_id,
                staff_id=uuid4(),
                staff_name="Sam",
                staff_epoch=1,
                staff_session=b"x",
                ticket_hash=b"x",
                ticket_until=system_clock.now(),
            )
        )
    with pytest.raises(IntegrityError), control_transaction() as control:
        control.add(AccessPolicy(tenant_id=grant.tenant_id, wait_hours=1))


# (what allows it, what is asked for) and whether it may be done; everything that isn't here is refused.
KINDS = (
    "grant to see", "grant to import", "grant to export", "grant ended", "grant over", "grant of another",
    "instruction to import", "instruction to export", "unconfirmed", "waiting for its time", "instruction over",
    "words",
)  # fmt: skip
ALLOWED = {
    ("grant to see", "visit"), ("grant to import", "visit"), ("grant to export", "visit"),
    ("grant to import", "console import"), ("grant to export", "console export"),
    ("instruction to import", "console import"), ("instruction to export", "console export"),
    ("grant to import", "--grant import"), ("grant to import", "--grant undo-import"),
    ("grant to export", "--grant export"),
    ("instruction to import", "--instruction import"), ("instruction to import", "--instruction undo-import"),
    ("instruction to export", "--instruction export"),
}  # fmt: skip
ROUTES = (
    "visit", "console import", "console export", "--grant import", "--grant undo-import", "--grant export",
    "--instruction import", "--instruction undo-import", "--instruction export",
)  # fmt: skip


def test_only_what_admits_admits(customer: Customer, clock: Clock, fresh_tenant: Callable[..., Tenant]) -> None:
    """Each kind of grant and instruction, by each entry: page, command, job."""
    given = _one_of_each(customer, clock)
    found = set()
    for kind in KINDS:
        for route in ROUTES:
            if _is_done(customer, given[kind], route):
                found.add((kind, route))
    assert found == ALLOWED
    with control_transaction() as control:
        visited = set(control.scalars(select(Grant.kind).join(Visit, Visit.grant_id == Grant.id)))
    assert visited == {"grant"}


def test_a_visit_ends_when_its_grant_turns_out_to_be_none(customer: Customer) -> None:
    """The page asks each time: what was made while the rule was another opens nothing."""
    grant = customer.give("see")
    inside = customer.enter(grant)
    ticket = way_in(customer.sam.post(f"/tenants/{customer.tenant.slug}/support/{grant.id}/visits"))
    assert inside.get("/contacts").status_code == 200
    with control_transaction() as control:
        control.execute(text("ALTER TABLE staff_visits DROP CONSTRAINT fk_staff_visits_grant_id_grant_kind"))
        control.execute(
            update(Grant).where(Grant.id == grant.id).values(kind="instruction", confirmed_at=system_clock.now())
        )
    try:
        assert inside.get("/contacts").status_code == 303
        assert customer.browser_of(customer.tenant.host).post(ticket).status_code == 410
        assert customer.sam.post(f"/tenants/{customer.tenant.slug}/support/{grant.id}/visits").status_code == 403
    finally:
        with control_transaction() as control:
            control.execute(update(Grant).where(Grant.id == grant.id).values(kind="grant"))
            control.execute(
                text(
                    "ALTER TABLE staff_visits ADD CONSTRAINT fk_staff_visits_grant_id_grant_kind FOREIGN KEY"
                    " (grant_id, grant_kind) REFERENCES grants (id, kind) ON DELETE CASCADE"
                )
            )


def test_under_an_instruction_a_command_hands_nothing_over(customer: Customer, run: Callable[..., Any]) -> None:
    grant = customer.instruct("export")
    words = ("export", "--tenant", customer.tenant.slug, "--instruction", grant.reference, "--output", "x.zip")
    refused = run(*words)
    assert refused.exit_code == 1 and "only the customer's administrators can download the file" in refused.output
    with tenant_transaction(customer.tenant) as session:
        assert session.scalars(select(Export)).all() == []


def test_free_text_is_refused_with_the_way_to_a_reference(customer: Customer, run: Callable[..., Any]) -> None:
    for words in (
        ("export", "--output", "x.zip"),
        ("undo-import", str(uuid4())),
        ("import", __file__),
    ):
        refused = run(*words, "--tenant", customer.tenant.slug, "--instruction", "invented")
        assert refused.exit_code == 1
        assert "Settings, Support access" in refused.output and "--grant" in refused.output
        for option in ("--grant", "--instruction"):
            unknown = run(*words, "--tenant", customer.tenant.slug, option, "G-ABCDEF")
            assert unknown.exit_code == 1 and "G-ABCDEF" in unknown.output
        assert run(*words, "--tenant", customer.tenant.slug).exit_code == 2
        both = run(*words, "--tenant", customer.tenant.slug, "--grant", "G-ABCDEF", "--instruction", "G-ABCDEF")
        assert both.exit_code == 2
    with control_transaction() as control:
        assert control.scalars(select(Grant).where(Grant.tenant_id == customer.tenant.id)).all() == []


def test_the_reference_of_a_ticket_writes_it_down_and_waits(customer: Customer, run: Callable[..., Any]) -> None:
    reference = _ticket_of(customer, customer.ann)
    words = ("export", "--tenant", customer.tenant.slug, "--instruction", reference)
    first, second = run(*words), run(*words)
    assert "Recorded as G-" in first.output and "awaits confirmation" in second.output
    with control_transaction() as control:
        grant = control.scalars(select(Grant).where(Grant.tenant_id == customer.tenant.id)).one()
    assert customer.ann.post(f"/access/{grant.id}/confirmation").status_code == 303
    with _command(customer, Authority(instruction=reference), GrantScope.EXPORT) as allowed:
        assert (allowed.grant_id, allowed.shows_values) == (grant.id, False)
    reader = run(*words[:4], _ticket_of(customer, customer.rita))
    assert reader.exit_code == 1 and "isn't a ticket that an administrator" in reader.output


def test_words_are_enough_until_somebody_has_signed_in(
    world: World,
    working: object,
    fresh_tenant: Callable[..., Tenant],
    add_person: Callable[..., Person],
    browser_at: Callable[[str], Any],
) -> None:
    tenant = fresh_tenant("New Customer")
    ann = add_person(tenant, "Ann", "administrator")
    with on_authority(world.settings, tenant, Authority(instruction=WORDS), GrantScope.IMPORT) as allowed:
        assert allowed.is_free
    with control_transaction() as control:
        assert control.get_one(Grant, allowed.grant_id).state == "ended"
    assert browser_at(tenant.host).log_in(ann.email, ann.password).status_code == 303
    with (
        pytest.raises(NoGrant, match="so a reference is required"),
        on_authority(world.settings, tenant, Authority(instruction=WORDS), GrantScope.IMPORT),
    ):
        pass


def test_the_demo_of_a_development_run_takes_words_and_production_none(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.demo.organisations._record", lambda _: _Demo())
    from dataclasses import replace

    from provisioning.demo import is_demo

    settings = customer.world.settings
    assert is_demo(settings, "acme") and not is_demo(settings, "served")
    assert not is_demo(replace(settings, environment="production"), "acme")
    monkeypatch.setattr("provisioning.demo.organisations._record", lambda _: _Demo("somebody@real.example"))
    assert not is_demo(settings, "acme")


class _Demo:
    def __init__(self, email: str = "alice@acme.example") -> None:
        self.admin_email = email


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr("config.settings.load_settings", lambda: world.settings)
    return lambda *words: CliRunner().invoke(qikbiz, list(words))


def _one_of_each(customer: Customer, clock: Clock) -> dict[str, Grant | None]:
    given: dict[str, Grant | None] = {"words": None}
    given["grant over"] = customer.give("see", "import", "export", hours=1)
    given["instruction over"] = customer.instruct("export")
    clock.move(hours=25)
    # The login lasts twelve hours.
    customer.ann.log_in(f"ann@{customer.tenant.slug}.example.com", customer.world.alice.password)
    customer.sam.log_in(customer.world.sam.email, customer.world.sam.password)
    customer.olivia.log_in(customer.world.olivia.email, customer.world.olivia.password)
    given["grant to see"] = customer.give("see")
    given["grant to import"] = customer.give("see", "import")
    given["grant to export"] = customer.give("see", "export")
    given["grant of another"] = customer.give("see", "import", "export", audience=str(customer.world.olivia.id))
    ended = given["grant ended"] = customer.give("see", "import", "export")
    assert customer.ann.post(f"/access/{ended.id}/end").status_code == 303
    given["instruction to import"] = customer.instruct("import")
    given["instruction to export"] = customer.instruct("export")
    given["unconfirmed"] = customer.record("export")
    later = given["waiting for its time"] = _from_ticket(customer, customer.ann)
    assert customer.olivia.post(f"/tenants/{customer.tenant.slug}/support/{later.id}/confirmation").status_code == 303
    _close_and_open(customer)
    return given


def _is_done(customer: Customer, grant: Grant | None, route: str) -> bool:
    reference, grant_id = (grant.reference, grant.id) if grant else ("invented", UUID(int=7))
    base = f"/tenants/{customer.tenant.slug}/support"
    if route == "visit":
        answer = customer.sam.post(f"{base}/{grant_id}/visits")
        if answer.status_code != 200:
            return False
        inside = customer.browser_of(customer.tenant.host)
        return inside.post(way_in(answer)).status_code == 303
    if route == "console export":
        return customer.sam.post(f"{base}/exports", {"grant": str(grant_id)}).status_code in (302, 303)
    if route == "console import":
        form = {"grant": str(grant_id), "type": "contacts", "key": "email", "mode": "upsert", "id": str(uuid4())}
        return customer.sam.post(f"{base}/imports", form | {"file": _file()}).status_code in (302, 303)
    option, command = route.split()
    scope = GrantScope.EXPORT if command == "export" else GrantScope.IMPORT
    authority = Authority(grant=reference) if option == "--grant" else Authority(instruction=reference)
    try:
        with _command(customer, authority, scope):
            return True
    except Failure:
        return False


@contextmanager
def _command(customer: Customer, authority: Authority, scope: GrantScope) -> Iterator[Any]:
    with on_authority(customer.world.settings, customer.tenant, authority, scope) as allowed:
        with tenant_transaction(customer.tenant) as session:
            session.execute(select(Import.id if scope is GrantScope.IMPORT else Export.id)).all()
        yield allowed


def _file() -> tuple[Any, str]:
    import io

    return io.BytesIO(b"First name,Email\nAda,ada@example.com\n"), "people.csv"


def _ask_export(customer: Customer, grant: Grant) -> int:
    form = {"grant": str(grant.id), "id": str(uuid4()), "scope": "contacts", "product": "portable"}
    status = customer.sam.post(f"/tenants/{customer.tenant.slug}/support/exports", form).status_code
    return 303 if status == 302 else status


def _ticket_of(customer: Customer, browser: Any) -> str:
    form = {"topic": "export", "subject": "All of it", "body": "Please export all.", "once": uuid4().hex}
    answer = browser.post("/help", form)
    assert answer.status_code == 303, answer.text[-800:]
    with control_transaction() as control:
        newest = select(Ticket.reference).where(Ticket.tenant_id == customer.tenant.id).order_by(Ticket.id.desc())
        return control.scalars(newest.limit(1)).one()


def _from_ticket(customer: Customer, browser: Any) -> Grant:
    """Sam takes a ticket as an instruction."""
    reference = _ticket_of(customer, browser)
    assert customer.sam.post(f"/tickets/{reference}/instruction").status_code == 303
    with control_transaction() as control:
        newest = select(Grant).where(Grant.tenant_id == customer.tenant.id).order_by(Grant.id.desc())
        return control.scalars(newest.limit(1)).one()


def _close_and_open(customer: Customer) -> None:
    """What the worker does each minute."""
    from provisioning.guest_roles import close_ended_grants, open_due_grants

    close_ended_grants(customer.world.settings)
    open_due_grants(customer.world.settings)


def _mails(customer: Customer, template: str) -> list[str]:
    with tenant_transaction(customer.tenant) as session:
        return list(session.scalars(select(Mail.to_name).where(Mail.template == template)))


def _ann(customer: Customer) -> UUID:
    with tenant_transaction(customer.tenant) as session:
        found: UUID = session.execute(text("SELECT id FROM users WHERE name = 'Ann'")).scalar_one()
        return found
