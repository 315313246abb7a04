"""The general settings of an organisation: who may change them, what they change, and where they count."""

from __future__ import annotations

import re
from calendar import day_name
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from provisioning.embedded.processes import wait_until
from qikbiz.audit.models import AuditEvent
from qikbiz.crm.companies.actions import change_company, create_company
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.models import Contact
from qikbiz.kernel.database import control_transaction
from tenants.context import Tenant
from tenants.control import TenantRecord
from tests.fixtures.sent_forms import sent_by_browser
from tests.fixtures.web import Browser
from tests.fixtures.world import Organisation

GENERAL = "/settings/general"
AUSTRIA = {
    "name": "Alpen GmbH",
    "accent": "teal",
    "time_zone": "Europe/Vienna",
    "country": "AT",
    "currency": "EUR",
    "week_start": "sunday",
}


def change(organisation: Organisation, **changed: str) -> Browser:
    """Alice's browser after the settings were saved and this process knows of them."""
    alice = organisation.browser("alice")
    answer = alice.post(GENERAL, {**AUSTRIA, **changed})
    assert answer.status_code == 303, answer.text
    # Every process learns of it by looking at the directory's version.
    assert wait_until(lambda: _known(alice).name == {**AUSTRIA, **changed}["name"], seconds=20)
    return alice


def _known(browser: Browser) -> Tenant:
    directory = browser.app.extensions["qikbiz"].directory
    directory.look()
    found: Tenant | None = directory.resolve(browser.host).tenant
    assert found is not None
    return found


def test_settings_lead_to_general_for_administrators_and_to_the_profile_for_others(organisation: Organisation) -> None:
    assert organisation.browser("alice").get("/settings").location == GENERAL
    assert organisation.browser("bob").get("/settings").location == "/profile"
    page = organisation.browser("alice").get(GENERAL).text
    subjects = page.partition('class="settings-nav"')[2]
    assert subjects.index(">General<") < subjects.index(">Your profile<")
    assert organisation.browser("bob").get(GENERAL).status_code == 403
    assert organisation.browser("bob").post(GENERAL, AUSTRIA).status_code == 403


def test_name_colour_and_time_zone_count_on_every_page_at_once(organisation: Organisation) -> None:
    alice = change(organisation)
    page = alice.get("/contacts").text
    assert "Contacts · Alpen GmbH</title>" in page and "accent-teal" in page
    assert 'data-zone="Europe/Vienna"' in page
    # Saving the profile with another name leaves it so.
    form = sent_by_browser(alice.get("/profile").text, "/profile")
    assert form["time_zone"] == ""
    assert alice.post("/profile", {**form, "name": "Alicia"}).status_code == 303
    assert 'data-zone="Europe/Vienna"' in alice.get("/contacts").text
    with organisation.work() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "workspace.changed")).one()
    # A new organisation's colour is drawn from its address, and may be this one already.
    same = {"accent"} if organisation.tenant.accent == "teal" else set()
    assert set(event.details["changes"]) == set(AUSTRIA) - same
    assert same or event.details["changes"]["accent"][1] == "teal"
    assert event.details["changes"]["week_start"] == ["", "sunday"]
    assert "Nothing was changed." in alice.follow(alice.post(GENERAL, AUSTRIA)).text


def test_logs_offer_the_current_week_from_its_chosen_first_day(organisation: Organisation) -> None:
    alice = change(organisation)
    today = datetime.now(ZoneInfo("Europe/Vienna")).date()
    for path in ("/audit", "/access-log"):
        url = re.search(rf'href="({path}\?from=([\d-]+))">This week<', alice.get(path).text)
        assert url is not None
        first = date.fromisoformat(url[2])
        assert day_name[first.weekday()] == "Sunday" and (today - first).days in range(7)
        assert alice.get(url[1]).status_code == 200


def test_a_phone_number_without_country_code_is_one_of_the_organisations_country(organisation: Organisation) -> None:
    ben = organisation.browser("ben")
    form = {"first_name": "Ann", "phones-0-number": "0316 873 0"}
    assert ben.post("/contacts", form).status_code == 422
    change(organisation)
    assert ben.post("/contacts", form).status_code == 303
    # The record's own country goes first.
    assert (
        ben.post(
            "/contacts", {**form, "first_name": "Bo", "phones-0-number": "030 123456", "country": "DE"}
        ).status_code
        == 303
    )
    with organisation.work() as session:
        assert set(session.scalars(select(Contact.phone))) == {"+433168730", "+4930123456"}


def test_an_amount_without_currency_is_in_that_of_the_organisation(organisation: Organisation) -> None:
    change(organisation)
    organisation.tenant = _known(organisation.browser("alice"))
    with organisation.work() as session:
        bare = create_company({"name": "Bare", "annual_revenue": 5})
        assert bare.annual_revenue_currency == "EUR"
        given = create_company({"name": "Given", "annual_revenue": 5, "annual_revenue_currency": "USD"})
        change_company(given, {"annual_revenue": 7})
        none = create_company({"name": "None"})
        assert (given.annual_revenue_currency, none.annual_revenue_currency) == ("USD", None)
        assert session.get(Company, bare.id) is not None


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", "  "),
        ("name", "x" * 101),
        ("accent", "pink"),
        ("time_zone", "Mars/Base"),
        ("country", "AN"),
        ("currency", "XXQ"),
        ("week_start", "tuesday"),
    ],
)
def test_what_can_not_be_is_said_beside_its_field_and_nothing_is_kept(
    organisation: Organisation, field: str, wrong: str
) -> None:
    answer = organisation.browser("alice").post(GENERAL, {**AUSTRIA, field: wrong})
    assert answer.status_code == 422 and "field-error" in answer.text
    with control_transaction() as control:
        row = control.get_one(TenantRecord, organisation.tenant.id)
        assert (row.name, row.country, row.currency, row.week_start) == (organisation.tenant.name, "", "", "")


def test_an_unknown_field_is_refused_and_another_organisation_keeps_its_own(
    organisation: Organisation, client_for
) -> None:
    assert organisation.browser("alice").post(GENERAL, {**AUSTRIA, "slug": "globex"}).status_code == 400
    change(organisation)
    assert "Alpen GmbH" not in client_for("mallory").get("/contacts").text
