"""Promise P10: trying names shows nothing: the same status, headers and page, whether there is such a user or not."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import update

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.identity.accounts.models import User
from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant
from tests.fixtures.people import Person
from tests.fixtures.web import Browser

pytestmark = pytest.mark.promise("P10")
# As long as one another, so that lengths can be compared too; no user is called Nadia.
PEOPLE = {
    "Erika": ("member", "active"),
    "Frida": ("administrator", "active"),
    "Greta": ("member", "invited"),
    "Heidi": ("member", "disabled"),
}
NAMES = (*PEOPLE, "Nadia")
# What differs between any two answers.
ALWAYS_NEW = {"X-Request-Id", "Date"}


@pytest.fixture
def tenant(app: QikBiz, fresh_tenant: Callable[..., Tenant], add_person: Callable[..., Person]) -> Tenant:
    made = fresh_tenant()
    for name, (role, state) in PEOPLE.items():
        person = add_person(made, name, role)
        with app.app_context(), tenant_transaction(made) as session:
            session.execute(update(User).where(User.id == person.id).values(state=state))
    return made


def _log_in(browser: Browser, address: str) -> tuple[object, ...]:
    return _said(browser.log_in(address, "certainly not the password"), address)


def _forgot(browser: Browser, address: str) -> tuple[object, ...]:
    return _said(browser.post("/forgot", {"email": address}), address)


def _said(answer: object, address: str) -> tuple[object, ...]:
    """Status, headers and page, without what is new each time."""
    text = answer.text.replace(address, "@")  # type: ignore[attr-defined]
    text = re.sub(r'(csrf[-_]token"[^>]*(value|content)=")[^"]+|(<code>|reference[^>]*>)[0-9a-f]{12}', r"\1\3", text)
    headers = {
        (name, re.sub(r"=[^;]+;", "=;", value, count=1) if name == "Set-Cookie" else value)
        for name, value in answer.headers  # type: ignore[attr-defined]
        if name not in ALWAYS_NEW
    }
    return answer.status_code, headers, text  # type: ignore[attr-defined]


@pytest.mark.parametrize("ask", [_log_in, _forgot], ids=["log in", "forgotten password"])
def test_every_name_gets_the_same_answer_to_the_last_header(
    app: QikBiz, tenant: Tenant, ask: Callable[[Browser, str], tuple[object, ...]]
) -> None:
    answers = [ask(Browser(app, tenant.host), f"{name.lower()}@{tenant.slug}.example.com") for name in NAMES]
    for answer in answers[1:]:
        assert answer == answers[0]
