"""An administrator lets staff in: for a reason, a purpose and a time; and ends it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from provisioning.erase_tenant import erase_tenant
from provisioning.guest_roles import close_ended_grants, stray_logins
from provisioning.servers import Connection
from qikbiz.console.tenant_actions import close_tenant
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tests.fixtures.grants import Clock, Customer
from tests.fixtures.web import Browser

LOGIN = "SELECT rolcanlogin, rolsuper, rolcreaterole, rolinherit FROM pg_roles WHERE rolname = %s"


@pytest.mark.promise("P8")
def test_ann_gives_access_and_sees_it_in_force(customer: Customer) -> None:
    grant = customer.give("see", "export", reason="Contacts are missing since Monday")
    page = customer.ann.get(f"/access/{grant.id}")
    for words in (grant.reference, "Contacts are missing since Monday", "Active", "QikBiz support"):
        assert words in page.text
    assert grant.reference in customer.ann.get("/access").text
    assert ("grant.given", "Ann", grant.reference) in customer.acts()
    assert customer.platform_acts().count("grant.given") == 1


@pytest.mark.promise("P8")
def test_the_login_exists_while_the_grant_does(customer: Customer, owner_connection: Connection) -> None:
    grant = customer.give("see")
    assert owner_connection.execute(LOGIN, (grant.role_name,)).fetchone() == (True, False, False, False)
    assert customer.ann.post(f"/access/{grant.id}/end").status_code == 303
    customer.run_platform_jobs("grants.close")
    assert owner_connection.execute(LOGIN, (grant.role_name,)).fetchone() is None
    assert customer.grant(grant.id).role_dropped_at is not None
    assert grant.role_name not in stray_logins(customer.world.settings)


@pytest.mark.promise("P8")
def test_a_grant_whose_time_is_over_loses_its_login_by_itself(
    customer: Customer, clock: Clock, owner_connection: Connection
) -> None:
    grant = customer.give("see", hours=0.5)
    clock.move(minutes=31)
    assert close_ended_grants(customer.world.settings) >= 1
    assert owner_connection.execute(LOGIN, (grant.role_name,)).fetchone() is None
    assert customer.grant(grant.id).state == "ended"
    assert "Ended" in customer.ann.get(f"/access/{grant.id}").text


NOT_ACCEPTED = (
    ({"reason": "  "}, "Enter a reason"),
    ({"reason": "x" * 501}, "At most 500 characters."),
    ({"scopes": []}, "Choose at least one purpose"),
    ({"scopes": ["everything"]}, "is not a valid choice"),
    ({"scopes": ["restore"]}, "is not a valid choice"),
    ({"ends_at": "2020-01-01T10:00"}, "is in the past"),
    ({"ends_at": "2099-01-01T10:00"}, "too far in the future"),
    ({"ends_at": "tomorrow"}, "Not a valid datetime"),
    ({"audience": "00000000-0000-0000-0000-000000000000"}, "Not a valid choice"),
)


def test_what_can_t_be_accepted_is_said_beside_its_field(customer: Customer, subtests: pytest.Subtests) -> None:
    for change, words in NOT_ACCEPTED:
        with subtests.test(words):
            page = customer.ann.post("/access", {**customer.form("see"), **change})
            assert page.status_code == 422
            assert words in page.text
            assert "QikBiz staff can&#39;t see your records</h2>" in customer.ann.get("/access").text


@pytest.mark.promise("P8")
def test_a_reader_can_neither_give_nor_see_nor_end(customer: Customer) -> None:
    grant = customer.give("see")
    assert customer.rita.get("/access").status_code == 403
    assert customer.rita.post("/access", customer.form("see")).status_code == 403
    assert customer.rita.post(f"/access/{grant.id}/end").status_code == 403
    assert customer.grant(grant.id).state == "open"


@pytest.mark.promise("P8")
def test_another_organisation_knows_nothing_of_it(customer: Customer, client_for: object) -> None:
    grant = customer.give("see", reason="canary-of-served")
    alice: Browser = client_for("alice")  # type: ignore[operator]  # the fixture's function
    assert alice.get(f"/access/{grant.id}").status_code == 404
    assert alice.post(f"/access/{grant.id}/end").status_code == 404
    assert "canary-of-served" not in alice.get("/access").text
    assert customer.grant(grant.id).state == "open"


def test_ending_twice_is_said_and_harms_nothing(customer: Customer) -> None:
    grant = customer.give("see")
    assert customer.ann.post(f"/access/{grant.id}/end").status_code == 303
    assert customer.ann.post(f"/access/{grant.id}/end").status_code == 409
    assert [act for act, _, _ in customer.acts()].count("grant.ended") == 1


@pytest.mark.promise("P8")
def test_nobody_is_let_in_when_the_customers_own_audit_can_t_be_written(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row in the control database opens nothing until the customer's transaction is committed."""
    from qikbiz.audit import chain

    def broken(*_: object) -> None:
        raise RuntimeError("The audit can't be written.")

    monkeypatch.setattr(chain, "_link", broken)
    assert customer.ann.post("/access", customer.form("see")).status_code == 500
    monkeypatch.undo()
    customer.run_platform_jobs("grants.open")
    assert "QikBiz staff can&#39;t see your records</h2>" in customer.ann.get("/access").text


@pytest.mark.promise("P8")
def test_an_organisation_that_is_erased_leaves_no_login_behind(
    customer: Customer, owner_connection: Connection
) -> None:
    grant = customer.give("see")
    with tenant_transaction(customer.tenant) as session:
        # As one that no user signed in to: only such a one is erased without a closing.
        session.execute(text("UPDATE users SET last_seen_at = NULL"))
    with control_transaction() as control:
        close_tenant(control, customer.tenant.slug, confirmation=customer.tenant.slug, days=0)
    erase_tenant(customer.world.settings, customer.tenant.id, now=True)
    assert owner_connection.execute(LOGIN, (grant.role_name,)).fetchone() is None
