"""A suspension forbids changes alone: people sign in, read, export, leave, ask, and get the reason by email."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail.actions import opened_values
from qikbiz.messaging.mail.models import Mail
from tenants.context import Tenant
from tests.fixtures.people import Person
from tests.fixtures.web import Browser

pytestmark = [pytest.mark.promise("P12"), pytest.mark.promise("P13")]
REASON = "The invoice of May is open"


def mails(tenant: Tenant, template: str) -> list[tuple[str, object]]:
    with tenant_transaction(tenant) as session:
        found = session.scalars(select(Mail).where(Mail.template == template).order_by(Mail.id))
        return [(mail.to_address, opened_values(mail, tenant.id).get("reason")) for mail in found]


def test_a_suspended_customer_signs_in_reads_exports_leaves_asks_and_sees_what_support_did(
    app: QikBiz,
    client_for: Callable[[str], Browser],
    log_in: Callable[..., Browser],
    fresh_tenant: Callable[..., Tenant],
    add_person: Callable[..., Person],
    working: object,
) -> None:
    tenant = fresh_tenant("Pausing & Sons")
    anna, carol = (add_person(tenant, name, "administrator") for name in ("Anna", "Carol"))
    before, olivia, url = log_in(anna), client_for("olivia"), f"/tenants/{tenant.slug}"
    assert before.post("/contacts", {"last_name": "Lee"}).status_code == 303
    assert olivia.post(f"{url}/suspension", {"reason": " "}).status_code == 400
    assert olivia.post(f"{url}/suspension", {"reason": "x" * 501}).status_code == 400
    for _ in range(2):
        assert olivia.post(f"{url}/suspension", {"reason": REASON}).status_code in (302, 303)
    app.extensions["qikbiz"].directory.look()

    for person in (before, log_in(carol)):
        for path in ("/contacts", "/companies", "/exports", "/exports/new", "/closing", "/help", "/access", "/audit"):
            page = person.get(path)
            assert page.status_code == 200 and REASON in page.text and "This workspace is suspended" in page.text, path
    assert "Lee" in before.get("/contacts").text
    assert before.post("/exports", {"scope": "everything", "product": "portable"}).status_code == 303
    assert before.post("/help", {"subject": "Reason", "body": "We paid.", "topic": "question"}).status_code == 303
    assert before.post("/closing/request", {"typed": tenant.name}).status_code == 303
    assert before.post("/closing/acceptance", {"amount": "0.00"}).status_code == 303
    for path in ("/contacts", "/companies", "/users/invitation", "/imports"):
        refused = before.post(path, {"last_name": "New", "name": "New"})
        assert refused.status_code == 403 and "workspace is suspended" in refused.text, path
    assert 'href="/contacts/new"' not in before.get("/contacts").text

    told = mails(tenant, "organisation_suspended")
    assert told == [(anna.email, REASON), (carol.email, REASON)], "each administrator once"
    assert olivia.post(f"{url}/resumption").status_code in (302, 303)
    app.extensions["qikbiz"].directory.look()
    assert before.post("/contacts", {"last_name": "Ng"}).status_code == 303
    assert [address for address, _ in mails(tenant, "organisation_resumed")] == [anna.email, carol.email]


def test_before_anybody_joined_the_first_administrators_address_is_mailed(
    client_for: Callable[[str], Browser], fresh_tenant: Callable[..., Tenant], working: object
) -> None:
    tenant = fresh_tenant("Not There Yet")
    assert client_for("olivia").post(f"/tenants/{tenant.slug}/suspension", {"reason": REASON}).status_code in (302, 303)
    assert mails(tenant, "organisation_suspended") == [(f"office@{tenant.slug}.example.com", REASON)]
