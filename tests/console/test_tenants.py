"""Operators look after tenants at the console; support may look, auditors may read, and no one there sees a record."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, text

from qikbiz.audit.models import AuditEvent
from qikbiz.jobs.models import PlatformJob
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tenants.context import Tenant
from tenants.control import TenantRecord
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from tests.fixtures.world import World

ClientFor = Callable[[str], Browser]


def test_an_operator_sees_all_tenants_with_their_figures(client_for: ClientFor) -> None:
    for slug, name in (("acme", "Acme Industrial"), ("globex", "Globex Logistics")):
        page = client_for("olivia").get("/", query_string={"q": slug})
        assert page.status_code == 200
        assert name in page.text


@pytest.mark.parametrize(
    ("search", "found"),
    [("acme", True), ("INDUSTRIAL", True), ("glob", False), ("%", False), ("_", False), ("'; --", False)],
)
def test_search_takes_what_is_typed_literally(client_for: ClientFor, search: str, found: bool) -> None:
    page = client_for("olivia").get("/", query_string={"q": search})
    assert page.status_code == 200
    assert ("Acme Industrial" in page.text) is found


def test_nobody_comes_in_without_a_staff_login(browser_at: Callable[[str], Browser], client_for: ClientFor) -> None:
    stranger = browser_at("console.localhost")
    assert stranger.get("/").status_code == 303
    # Alice's cookie was made for Acme's host and opens nothing here.
    for name, value in client_for("alice").cookies().items():
        stranger.set_cookie(name, value)
    assert stranger.get("/").status_code == 303


def test_the_console_does_not_exist_on_a_tenant_s_host(client_for: ClientFor) -> None:
    for path in ("/tenants/new", "/jobs", "/addresses", "/mails"):
        assert client_for("alice").get(path).status_code == 404


@pytest.mark.parametrize("path", ["/tenants/new"])
def test_support_may_look_but_not_create(client_for: ClientFor, path: str) -> None:
    sam = client_for("sam")
    assert "Acme Industrial" in sam.get("/tenants", query_string={"q": "acme"}).text
    assert sam.get(path).status_code == 403
    assert sam.post("/tenants", {"slug": "newcomer", "name": "N", "admin_email": "a@example.com"}).status_code == 403
    assert sam.post("/tenants/acme/suspension", {"reason": "Because"}).status_code == 403
    assert sam.post("/tenants/acme/deletion", {"typed": "acme", "reason": "Because"}).status_code == 403


@pytest.mark.parametrize(
    ("slug", "saying"),
    [
        ("", "its address"),
        ("a", "characters"),
        ("Not Good!", "may hold"),
        ("console", "reserved"),
        ("acme", "already"),
        ("acrne", "mistaken"),
        ("xn--80ak6aa92e", "hyphens"),
    ],
)
def test_a_bad_address_is_refused_in_words_and_nothing_typed_is_lost(
    client_for: ClientFor, slug: str, saying: str
) -> None:
    page = client_for("olivia").post("/tenants", {"slug": slug, "name": "Näme & Söhne", "admin_email": "a@example.com"})
    assert 400 <= page.status_code < 500
    assert saying in page.text
    assert "Näme &amp; Söhne" in page.text


def test_a_new_tenant_is_made_by_the_worker_and_shown_with_progress(
    client_for: ClientFor, working: Runtime, run_platform_job: Callable[[PlatformJob], None]
) -> None:
    olivia = client_for("olivia")
    form = {"slug": "newcomer", "name": "Newcomer Ltd", "admin_email": "owner@example.com"}
    answer = olivia.post("/tenants", form)
    assert answer.status_code in (302, 303)
    waiting = olivia.get(answer.location)
    assert "Waiting for a worker" in waiting.text
    with control_transaction() as session:
        job = session.scalars(select(PlatformJob).where(PlatformJob.kind == "tenants.create")).all()[-1]
    run_platform_job(job)
    assert "Done" in olivia.get(answer.location).text
    with control_transaction() as session:
        state = session.scalars(select(TenantRecord.state).where(TenantRecord.slug == "newcomer")).one()
    assert state == "active"
    again = olivia.post("/tenants", form)
    assert again.status_code == 409 and "already" in again.text


def test_suspending_needs_a_reason_shuts_nobody_out_and_can_be_taken_back(
    client_for: ClientFor,
    app: object,
    fresh_tenant: Callable[..., Tenant],
    browser_at: Callable[[str], Browser],
    working: Runtime,
) -> None:
    tenant = fresh_tenant("Pausing Ltd")
    olivia, visitor = client_for("olivia"), browser_at(tenant.host)
    _look_again(app)
    assert visitor.get("/login").status_code == 200
    refused = olivia.post(f"/tenants/{tenant.slug}/suspension", {"reason": " "})
    assert refused.status_code == 400
    assert olivia.post(f"/tenants/{tenant.slug}/suspension", {"reason": "Unpaid bills"}).status_code in (302, 303)
    _look_again(app)
    assert visitor.get("/login").status_code == 200
    assert "Unpaid bills" in olivia.get(f"/tenants/{tenant.slug}").text
    assert olivia.post(f"/tenants/{tenant.slug}/resumption").status_code in (302, 303)
    _look_again(app)
    assert visitor.get("/login").status_code == 200
    with control_transaction() as session:
        actions = session.scalars(
            text("SELECT action FROM platform_audit_events WHERE subject = :slug ORDER BY id"), {"slug": tenant.slug}
        ).all()
    assert actions[-2:] == ["tenant.suspended", "tenant.resumed"]


def test_deleting_needs_the_address_typed_and_waits_seven_days(
    client_for: ClientFor, fresh_tenant: Callable[..., Tenant], working: Runtime
) -> None:
    tenant = fresh_tenant("Leaving Ltd")
    olivia = client_for("olivia")
    url = f"/tenants/{tenant.slug}/deletion"
    assert olivia.post(url, {"typed": "something", "reason": "Asked"}).status_code == 400
    assert olivia.post(url, {"typed": tenant.slug, "reason": ""}).status_code == 400
    assert olivia.post(url, {"typed": tenant.slug, "reason": "Asked by its owner"}).status_code in (302, 303)
    page = olivia.get(f"/tenants/{tenant.slug}")
    assert "Scheduled for deletion" in page.text
    with control_transaction() as session:
        record = session.scalars(select(TenantRecord).where(TenantRecord.slug == tenant.slug)).one()
        assert record.state == "closing" and record.delete_after is not None
        assert (record.delete_after - record.created_at).days in (6, 7)


def test_a_tenant_that_does_not_exist_is_not_found(client_for: ClientFor) -> None:
    olivia = client_for("olivia")
    assert olivia.get("/tenants/nobody").status_code == 404
    assert olivia.post("/tenants/nobody/suspension", {"reason": "x"}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/jobs", "/mails", "/mails?tenant=acme", "/addresses", "/audit", "/audit?tenant=acme"]
)
def test_no_page_of_the_console_shows_a_row_of_a_tenant(client_for: ClientFor, world: World, path: str) -> None:
    page = client_for("olivia").get(path)
    assert page.status_code == 200
    for email in (world.alice.email, world.bob.email, world.mallory.email):
        assert email not in page.text


def _look_again(app: object) -> None:
    # The watching thread would do it within half a second; the test need not wait for it.
    app.extensions["qikbiz"].directory.look()  # type: ignore[attr-defined]  # the application under test


def test_operators_limit_seats_in_words_and_nobody_else_does(
    client_for: ClientFor, fresh_tenant: Callable[..., Tenant], working: Runtime
) -> None:
    tenant = fresh_tenant("Seated Ltd")
    olivia, url = client_for("olivia"), f"/tenants/{tenant.slug}/seats"
    assert olivia.post(url, {"seats": "25"}).status_code == 303
    assert "of 25 seats" in olivia.get(f"/tenants/{tenant.slug}").text
    for nonsense in ("0", "-1", "many", "9" * 30, "100001", "٣"):
        assert olivia.post(url, {"seats": nonsense}).status_code == 400, nonsense
    assert client_for("sam").post(url, {"seats": "1"}).status_code == 403
    assert 'name="seats"' not in client_for("sam").get(f"/tenants/{tenant.slug}").text
    assert "of 25 seats" in olivia.get(f"/tenants/{tenant.slug}").text
    assert olivia.post(url, {"seats": ""}).status_code == 303
    assert "of 25 seats" not in olivia.get(f"/tenants/{tenant.slug}").text


def test_the_organisation_reads_in_its_own_audit_what_was_done_to_it(
    client_for: ClientFor, fresh_tenant: Callable[..., Tenant], working: Runtime
) -> None:
    tenant = fresh_tenant("Told Ltd")
    olivia, page = client_for("olivia"), f"/tenants/{tenant.slug}"
    olivia.post(f"{page}/suspension", {"reason": "Unpaid bills"})
    olivia.post(f"{page}/suspension", {"reason": "Unpaid bills"})
    olivia.post(f"{page}/resumption")
    olivia.post(f"{page}/seats", {"seats": "5"})
    olivia.post(f"{page}/deletion", {"typed": tenant.slug, "reason": "Asked by its owner"})
    told = select(AuditEvent).where(AuditEvent.action.startswith("organisation.")).order_by(AuditEvent.seq)
    with tenant_transaction(tenant) as session:
        events = [(event.action, event.actor_kind, event.actor_name) for event in session.scalars(told)]
        reasons = [event.details.get("reason") for event in session.scalars(told)]
    assert [action for action, _, _ in events] == [
        f"organisation.{act}" for act in ("suspended", "resumed", "seats_limited", "closed")
    ]
    assert {kind for _, kind, _ in events} == {"staff"} and all(name for _, _, name in events)
    assert reasons[0] == "Unpaid bills"
