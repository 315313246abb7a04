"""Administrators read the audit; others can't, and none can change it."""

import re
from typing import Any

import pytest
from sqlalchemy import delete, text
from sqlalchemy.exc import ProgrammingError

from qikbiz.audit.actions import record
from qikbiz.audit.models import AuditEvent
from tests.fixtures.world import Organisation


def entries(organisation: Organisation, query: str = "") -> list[str]:
    page = organisation.browser("alice").get(f"/audit{query}")
    assert page.status_code == 200, page.text
    return re.findall(r'<span class="audit-what">([^<]+)</span><span class="audit-subject">([^<]*)', page.text)


@pytest.fixture
def ann(organisation: Organisation) -> str:
    ident = organisation.add_contact(first_name="Ann", last_name="Lee")
    organisation.browser("ben").post(f"/contacts/{ident}/fields/city", {"version": "1", "was": "", "city": "Graz"})
    return ident


def test_alice_sees_who_did_what(organisation: Organisation, ann: str) -> None:
    assert ("Contact: changed", "Ann Lee") in entries(organisation)
    page = organisation.browser("alice").get("/audit?action=contact.changed").text
    assert "Ben" in page
    assert "Graz" in page
    assert f"/contacts/{ann}" in page


def test_filters_by_person_act_record_and_day(organisation: Organisation, ann: str) -> None:
    ben = organisation.people["ben"].id
    organisation.add_company("Umbrella")
    assert set(entries(organisation, f"?person={ben}&action=contact")) == {("Contact: changed", "Ann Lee")}
    assert set(entries(organisation, "?action=contact")) == {
        ("Contact: changed", "Ann Lee"),
        ("Contact: created", "Ann Lee"),
    }
    assert entries(organisation, "?action=company") == [("Company: created", "Umbrella")]
    assert len(entries(organisation, f"?record={ann}")) == 2
    assert entries(organisation, "?to=2020-01-01") == []
    assert len(entries(organisation, "?from=2020-01-01&action=contact")) == 2
    assert "User is Ben" in organisation.browser("alice").get(f"/audit?person={ben}").text


def test_members_readers_and_outsiders_see_nothing(organisation: Organisation, ann: str, client_for: Any) -> None:
    assert organisation.browser("ben").get("/audit").status_code == 403
    assert organisation.browser("bob").get("/audit").status_code == 403
    assert "Ann Lee" not in client_for("mallory").get(f"/audit?record={ann}").text


SENSELESS = (
    *("person=1", "record=x", "before=%00", "after=zz"),
    *("from=today", "to=2026-13-01", "from=0001-01-01", "to=9999-12-31"),
)


def test_an_address_that_makes_no_sense_is_refused(organisation: Organisation, subtests: pytest.Subtests) -> None:
    for query in SENSELESS:
        with subtests.test(query):
            assert organisation.browser("alice").get(f"/audit?{query}").status_code == 400


def test_pages_lead_back_and_forth(organisation: Organisation) -> None:
    with organisation.work():
        for n in range(120):
            record("test.done", subject=f"S{n:03}")
    alice = organisation.browser("alice")
    pages = [alice.get("/audit?action=test")]
    while found := re.search(r'rel="next" href="([^"]+)"', pages[-1].text):
        pages.append(alice.get(found[1].replace("&amp;", "&")))
    shown = [re.findall(r"audit-subject\">(S\d+)", page.text) for page in pages]
    assert [subject for page in shown for subject in page] == [f"S{n:03}" for n in reversed(range(120))]
    back = re.search(r'rel="prev" href="([^"]+)"', pages[2].text)
    assert back
    assert re.findall(r"audit-subject\">(S\d+)", alice.get(back[1].replace("&amp;", "&")).text) == shown[1]


def test_the_tenants_own_role_can_not_change_the_audit(organisation: Organisation, ann: str) -> None:
    for statement in (delete(AuditEvent), text("update audit_events set subject = 'X'")):
        with pytest.raises(ProgrammingError, match="permission denied"), organisation.work() as session:
            session.execute(statement)
