"""When the operator ends a contract it takes two of them, and the customer gets what its own closing would give."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from provisioning.erase_tenant import erase_due_tenants, erase_tenant
from provisioning.tenants import delete
from qikbiz.console.closures import was_ever_used
from qikbiz.console.tenant_actions import BadTenant, close_tenant
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.errors import Conflict
from qikbiz.messaging.mail.models import PlatformMail
from tests.account_closure.conftest import Leaving
from tests.fixtures.people import Person
from tests.fixtures.web import Browser

pytestmark = pytest.mark.promise("P13")
WHY = "The service ends in 2027"


@pytest.fixture
def olga(add_staff: Callable[[str, str], Person]) -> Person:
    """Another operator."""
    return add_staff("olga", "operator")


def form(leaving: Leaving, **given: str) -> dict[str, str]:
    return {"typed": leaving.tenant.slug, "reason": WHY, "days": "45"} | given


def typed(slug: str) -> dict[str, str]:
    """What confirming a proposal sends."""
    return {"typed": slug}


def test_two_operators_end_a_contract_with_notice_export_thirty_days_and_certificate(
    leaving: Leaving, olga: Person
) -> None:
    alice, olivia = leaving.browser(), leaving.log_in(leaving.world.olivia)
    url = f"/tenants/{leaving.tenant.slug}"
    assert olivia.post(f"{url}/deletion", form(leaving)).status_code == 302
    assert alice.get("/contacts").status_code == 200 and leaving.record.state == "active", "nothing has changed yet"
    refused = olivia.post(f"{url}/deletion/confirmation", typed(leaving.tenant.slug))
    assert refused.status_code == 409 and "Another operator" in refused.text
    second = leaving.log_in(olga)
    assert WHY in second.get(url).text
    assert second.post(f"{url}/deletion/confirmation", typed("acme")).status_code == 400
    assert second.post(f"{url}/deletion/confirmation", typed(leaving.tenant.slug)).status_code == 303

    assert leaving.mails() == {"ended_by_us": 2}
    page = alice.follow(alice.get("/closing"))
    assert "QikBiz ended the contract" in page.text and WHY in page.text and "Keep your account" not in page.text
    leaving.advance()
    leaving.make_export()
    leaving.advance()
    closing = leaving.closing
    assert (closing.state, closing.ended_by, closing.charge) == ("read_only", "operator", 0)
    assert closing.erase_after is not None and closing.read_only_at is not None
    assert (closing.erase_after - closing.read_only_at).days == 45
    alice = leaving.browser()
    page = alice.get("/closing/standing")
    assert "Download again" in page.text and alice.get("/contacts").status_code == 200
    assert alice.post("/exports", {"scope": "everything", "product": "portable"}).status_code == 303
    for path in ("/closing/cancellation", "/closing/exports", "/closing/verification"):
        assert alice.post(path).status_code == 409 and leaving.closing.state == "read_only", path
    assert leaving.audited() == ["ended_by_operator", "exported", "read_only"]

    for days in (38.1, 6, 1.1):
        leaving.clock.move(days=days)
        if days < 2:
            assert leaving.mails() == {"ended_by_us": 2, "read_only": 2, "reminder": 4}
        leaving.advance()
    assert leaving.closing.state == "erased" and leaving.certificate is not None
    assert leaving.mails() == {"certificate": 2}
    with control_transaction() as control:
        sent = select(PlatformMail.to_address).where(PlatformMail.template == "closing_certificate")
        assert {leaving.people["alice"].email, leaving.people["carol"].email} <= set(control.scalars(sent))
    assert leaving.closing.certificate_to == [] and leaving.closing.reason == ""


def test_an_operator_calls_it_off_and_the_customer_stays(leaving: Leaving, olga: Person) -> None:
    olivia, second = leaving.log_in(leaving.world.olivia), leaving.log_in(olga)
    url = f"/tenants/{leaving.tenant.slug}"
    leaving.browser()
    olivia.post(f"{url}/deletion", form(leaving))
    second.post(f"{url}/deletion/confirmation", typed(leaving.tenant.slug))
    leaving.advance()
    leaving.make_export()
    leaving.advance()
    case = f"/closings/{leaving.closing.id}"
    assert "Cancel closure" in olivia.get(case).text
    assert olivia.post(f"{case}/cancellation", {"reason": " "}).status_code == 400
    assert olivia.post(f"{case}/cancellation", {"reason": "Our mistake"}).status_code == 303
    leaving.advance()
    assert leaving.closing.state == "cancelled" and leaving.record.read_only_until is None
    assert leaving.mails()["cancelled"] == 2
    assert leaving.browser().post("/contacts", {"last_name": "Lee"}).status_code == 303
    leaving.to("asked")
    assert olivia.post(f"/closings/{leaving.closing.id}/cancellation", {"reason": "x"}).status_code == 409, "theirs"


def test_a_console_left_open_ends_nothing(leaving: Leaving) -> None:
    """Proposing and confirming ask for the second factor again when it was given some time ago."""
    leaving.browser()
    olivia, url = leaving.log_in(leaving.world.olivia), f"/tenants/{leaving.tenant.slug}/deletion"
    leaving.clock.move(minutes=16)
    for path in (url, f"{url}/confirmation"):
        answer = olivia.post(path, form(leaving))
        assert answer.status_code == 303 and answer.location.startswith("/confirm")
    assert leaving.record.state == "active"


def test_what_is_not_two_operators_ends_nothing(leaving: Leaving, olga: Person) -> None:
    """Support, one operator alone, a stale or withdrawn proposal, and a customer who is leaving anyway."""
    leaving.browser()
    olivia, second = leaving.log_in(leaving.world.olivia), leaving.log_in(olga)
    sam, url = leaving.log_in(leaving.world.sam), f"/tenants/{leaving.tenant.slug}"
    for bad in ({"reason": " "}, {"reason": "x" * 501}, {"typed": "x"}, {"days": "29"}, {"days": "91"}, {"days": "x"}):
        answer = olivia.post(f"{url}/deletion", form(leaving, **bad))
        assert answer.status_code == 400, bad
    assert second.post(f"{url}/deletion/withdrawal").status_code == 303
    assert second.post(f"{url}/deletion/confirmation", typed(leaving.tenant.slug)).status_code == 404
    olivia.post(f"{url}/deletion", form(leaving))
    assert sam.post(f"{url}/deletion/confirmation", typed(leaving.tenant.slug)).status_code == 403
    assert sam.post(f"{url}/deletion/withdrawal").status_code == 403
    leaving.clock.move(days=14, minutes=1)
    olivia, second = leaving.log_in(leaving.world.olivia), leaving.log_in(olga)
    assert second.post(f"{url}/deletion/confirmation", typed(leaving.tenant.slug)).status_code == 404
    olivia.post(f"{url}/deletion", form(leaving))
    leaving.to("asked")
    assert second.post(f"{url}/deletion/confirmation", typed(leaving.tenant.slug)).status_code == 409
    assert leaving.closing.ended_by == "customer" and leaving.record.state == "active"


def test_the_command_line_only_proposes_and_erases_nobody_who_was_there(leaving: Leaving, olga: Person) -> None:
    settings, slug = leaving.world.settings, leaving.tenant.slug
    with control_transaction():
        assert not was_ever_used(leaving.record)
    leaving.browser()
    with pytest.raises(Conflict, match="A user has signed in to this tenant"):
        delete(settings, slug, confirmation=slug, now=True)
    with pytest.raises(BadTenant, match="Enter a reason"):
        delete(settings, slug, confirmation=slug)
    with pytest.raises(BadTenant, match="30 to 90 days"):
        delete(settings, slug, confirmation=slug, days=7, reason=WHY)
    assert delete(settings, slug, confirmation=slug, reason=WHY).state == "active"
    url = f"/tenants/{slug}/deletion/confirmation"
    one, other = leaving.log_in(leaving.world.olivia), leaving.log_in(olga)
    for _ in range(2):
        one.post(url, typed(leaving.tenant.slug))
    assert leaving.record.state == "active" and "Another operator" in one.post(url, typed(leaving.tenant.slug)).text
    assert other.post(url, typed(leaving.tenant.slug)).status_code == 303
    assert leaving.closing.ended_by == "operator"


def test_whatever_closed_it_a_used_organisation_is_not_erased_before_its_closing(leaving: Leaving) -> None:
    """Also when a user signs in after the check, or the row is changed by hand."""
    settings = leaving.world.settings
    leaving.browser()
    with control_transaction() as control:
        close_tenant(control, leaving.tenant.slug, confirmation=leaving.tenant.slug, days=0)
    for now in (False, True):
        with pytest.raises(Conflict, match="was used"):
            erase_tenant(settings, leaving.tenant.id, now=now)
    assert leaving.tenant.slug not in erase_due_tenants(settings)
    assert leaving.record.state == "closing" and leaving.record.version


def test_a_page_for_visitors_says_nothing_untrue(leaving: Leaving, browser_at: Callable[[str], Browser]) -> None:
    with control_transaction() as control:
        close_tenant(control, leaving.tenant.slug, confirmation=leaving.tenant.slug)
    leaving.look()
    page = browser_at(leaving.tenant.host).get("/login")
    assert page.status_code == 410 and "ended its contract" not in page.text
