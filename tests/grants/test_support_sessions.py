"""Staff come in by a grant, see what it allows, are seen, and are out in the moment in which it ends."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import update

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.identity.staff.models import Staff
from qikbiz.kernel.database import control_transaction
from tests.fixtures.grants import Clock, Customer, way_in
from tests.fixtures.web import Browser
from tests.fixtures.world import World

pytestmark = pytest.mark.promise("P8")


def test_sam_comes_in_and_sees_what_the_grant_allows(customer: Customer) -> None:
    contact_id = customer.add_contact("Lovelace")
    inside = customer.enter(customer.give("see", reason="Where is Ada?"))
    assert "Lovelace" in inside.get("/contacts").text
    page = inside.get(f"/contacts/{contact_id}")
    assert page.status_code == 200
    assert "You are in a support session in Served Ltd" in page.text
    assert "Where is Ada?" in page.text
    assert inside.get("/").status_code == 200
    assert inside.get("/search?q=lovelace").status_code == 200


CLOSED = ("/contacts/new", "/imports", "/exports", "/users", "/audit", "/access", "/profile", "/profile/sessions")


def test_what_the_grant_does_not_allow_stays_closed(customer: Customer, subtests: pytest.Subtests) -> None:
    inside = customer.enter(customer.give("see"))
    for path in CLOSED:
        with subtests.test(path):
            assert inside.get(path).status_code == 403


def test_nothing_can_be_changed_by_a_grant_to_see(customer: Customer) -> None:
    contact_id = customer.add_contact("Lovelace")
    inside = customer.enter(customer.give("see"))
    assert inside.post(f"/contacts/{contact_id}/edit", {"last_name": "Changed", "version": "1"}).status_code == 403
    assert inside.post("/contacts", {"last_name": "New"}).status_code == 403


def test_a_grant_to_change_lets_a_record_be_changed_and_the_history_says_by_whom(customer: Customer) -> None:
    contact_id = customer.add_contact("Lovelace")
    inside = customer.enter(customer.give("change"))
    answer = inside.post(f"/contacts/{contact_id}/edit", {"last_name": "Byron", "version": "1"})
    assert answer.status_code in (302, 303), answer.text[-1500:]
    page = customer.ann.get(f"/contacts/{contact_id}")
    assert "Byron" in page.text and "Sam" in page.text
    assert ("contact.changed", "Sam") in [(act, who) for act, who, _ in customer.acts()]


@pytest.mark.promise("P12")
def test_every_page_that_was_opened_is_shown_to_the_customer(customer: Customer) -> None:
    contact_id = customer.add_contact("Lovelace")
    grant = customer.give("see", reason="Where is Ada?")
    inside = customer.enter(grant)
    inside.get("/contacts?q=ada")
    inside.get(f"/contacts/{contact_id}")
    acts = customer.acts()
    assert ("staff.entered", "Sam", grant.reference) in acts
    assert ("staff.saw", "Sam", "/contacts?q=ada") in acts
    assert ("staff.saw", "Sam", f"/contacts/{contact_id}") in acts
    page = customer.ann.get(f"/access/{grant.id}")
    assert "/contacts?q=ada" in page.text and "Support: viewed" in page.text
    entries = customer.ann.get("/access/entries")
    assert "Sam" in entries.text and grant.reference in entries.text and "Where is Ada?" in entries.text
    assert customer.platform_acts().count("staff.saw") >= 2
    assert [visit.pages for visit in customer.visits()] >= [2]


@pytest.mark.promise("P12")
def test_whoever_administers_is_told_by_mail_at_each_entry(customer: Customer) -> None:
    from sqlalchemy import select

    from qikbiz.kernel.database import tenant_transaction
    from qikbiz.messaging.mail.models import Mail

    grant = customer.give("see")
    customer.enter(grant)
    customer.enter(grant)
    with tenant_transaction(customer.tenant) as session:
        told = list(session.scalars(select(Mail.to_name).where(Mail.template == "staff_entered")))
    assert told.count("Ann") == 2 and "Rita" not in told


def test_when_the_customer_ends_it_the_next_click_is_outside(customer: Customer) -> None:
    grant = customer.give("see")
    inside = customer.enter(grant)
    assert inside.get("/contacts").status_code == 200
    assert customer.ann.post(f"/access/{grant.id}/end").status_code == 303
    assert inside.get("/contacts").status_code == 303
    assert customer.visits()[0].left_at is not None


def test_when_its_time_is_over_the_next_click_is_outside(customer: Customer, clock: Clock) -> None:
    inside = customer.enter(customer.give("see", hours=0.25))
    clock.move(minutes=14)
    assert inside.get("/contacts").status_code == 200
    clock.move(minutes=2)
    assert inside.get("/contacts").status_code == 303


def test_half_an_hour_without_a_click_ends_the_visit(customer: Customer, clock: Clock) -> None:
    inside = customer.enter(customer.give("see", hours=24))
    clock.move(minutes=31)
    assert inside.get("/contacts").status_code == 303


def test_somebody_who_leaves_us_is_outside_at_once(customer: Customer, world: World) -> None:
    inside = customer.enter(customer.give("see"))
    with control_transaction() as control:
        control.execute(update(Staff).where(Staff.id == world.sam.id).values(state="disabled"))
    try:
        assert inside.get("/contacts").status_code == 303
    finally:
        with control_transaction() as control:
            control.execute(update(Staff).where(Staff.id == world.sam.id).values(state="active"))


def test_a_grant_for_olivia_does_not_let_sam_in(customer: Customer, world: World) -> None:
    grant = customer.give("see", audience=str(world.olivia.id))
    assert grant.reference not in customer.sam.get(f"/tenants/{customer.tenant.slug}/support").text
    assert customer.sam.post(f"/tenants/{customer.tenant.slug}/support/{grant.id}/visits").status_code == 403
    customer.enter(grant, customer.olivia)


def test_a_ticket_is_good_once_and_for_a_minute_and_only_there(customer: Customer, clock: Clock) -> None:
    grant = customer.give("see")
    url = f"/tenants/{customer.tenant.slug}/support/{grant.id}/visits"
    first, second, third = (way_in(customer.sam.post(url)).rsplit("/", 1)[1] for _ in range(3))
    browser = customer.browser_of(customer.tenant.host)
    assert browser.get(f"/visit/{first}").status_code == 200
    assert browser.get(f"/visit/{first}").status_code == 200, "looking uses nothing up"
    assert browser.post(f"/visit/{first}").status_code == 303
    again = customer.browser_of(customer.tenant.host)
    assert again.post(f"/visit/{first}").status_code == 410
    elsewhere = customer.browser_of(customer.world.globex.tenant.host)
    assert elsewhere.get(f"/visit/{second}").status_code == 410
    assert elsewhere.post(f"/visit/{second}").status_code == 410
    clock.move(seconds=61)
    assert again.post(f"/visit/{third}").status_code == 410
    assert again.get("/visit/rubbish").status_code == 410


def test_the_cookie_of_a_visit_opens_nothing_elsewhere(customer: Customer, app: QikBiz) -> None:
    inside = customer.enter(customer.give("see"))
    value = inside.cookie("__Host-Http-qb_g")
    assert value is not None
    elsewhere = customer.browser_of(customer.world.globex.tenant.host)
    elsewhere.set_cookie("__Host-Http-qb_g", value)
    assert elsewhere.get("/contacts").status_code == 303


def test_leaving_ends_the_visit_and_not_the_grant(customer: Customer) -> None:
    grant = customer.give("see")
    inside = customer.enter(grant)
    value = inside.cookie("__Host-Http-qb_g")
    assert inside.post("/visit/end").status_code == 303
    inside.set_cookie("__Host-Http-qb_g", value or "")
    assert inside.get("/contacts").status_code == 303
    assert customer.grant(grant.id).state == "open"
    customer.enter(grant)


def test_a_guest_can_t_do_what_only_a_colleague_may(customer: Customer) -> None:
    inside = customer.enter(customer.give("see", "change", "import", "export"))
    grant_id = UUID(int=1)
    for path in ("/access", f"/access/{grant_id}/end", "/users/invitation", "/profile/password", "/logout"):
        assert inside.post(path).status_code == 403, path


def test_the_auditor_of_ours_may_not_come_in(customer: Customer, world: World, log_in: Callable[..., Browser]) -> None:
    grant = customer.give("see")
    with control_transaction() as control:
        control.execute(update(Staff).where(Staff.id == world.olivia.id).values(role="auditor"))
    try:
        browser = log_in(world.olivia)
        assert browser.post(f"/tenants/{customer.tenant.slug}/support/{grant.id}/visits").status_code == 403
    finally:
        with control_transaction() as control:
            control.execute(update(Staff).where(Staff.id == world.olivia.id).values(role="operator"))
