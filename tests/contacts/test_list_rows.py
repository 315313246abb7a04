"""The rows of lists are HTML made in Python: each value of a record comes out as text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from markupsafe import escape
from sqlalchemy import update

from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.schema.html import safe_texts
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.identity.accounts.models import User
from tests.fixtures.world import Organisation

HOSTILE = "<img src=x onerror='alert(1)'>\"&amp;</td><script>"
# What a list draws: all else would have come out of a record.
DRAWN = {"tr", "td", "a", "span", "input", "time"}


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: set[str] = set()
        self.handlers: list[str] = []
        self._is_inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_inside = self._is_inside or tag == "tbody"
        if self._is_inside and tag != "tbody":
            self.rows.add(tag)
            self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "tbody"


@pytest.mark.parametrize("record_type", [CONTACTS, COMPANIES], ids=lambda kind: kind.name)
def test_nothing_in_a_record_becomes_an_element(organisation: Organisation, record_type: RecordType) -> None:
    listable = [field for field in record_type.listable() if not field.references]
    columns = record_type.model.__table__.c
    texts = [name for field in listable for name in (field.name,) if columns[name].type.python_type is str]
    values = {name: HOSTILE for name in (*texts, *record_type.name_columns) if columns[name].type.python_type is str}
    if record_type.name == "contact":
        made, address = organisation.add_contact(last_name="Lee", tags=["a"]), "/contacts"
        values["company_name"] = HOSTILE
    else:
        made, address = organisation.add_company("Lee", tags=["a"]), "/companies"
    with organisation.work() as session:
        # Past every check: what an old version or a restored file might hold.
        session.execute(update(record_type.model).where(columns.id == made).values(**values, tags=[HOSTILE]))
        owner = session.get_one(User, organisation.people["ben"].id)
        owner.name = HOSTILE
        session.execute(update(record_type.model).where(columns.id == made).values(owner_id=owner.id))
    browser = organisation.browser("alice")
    browser.post(f"{address}/columns", data={"columns": [field.name for field in record_type.listable()]})
    page = browser.get(address).text
    found = Elements(page)
    assert found.rows <= DRAWN
    assert not found.handlers
    assert HOSTILE not in page
    assert str(escape(HOSTILE)) in page


def test_a_contact_without_a_company_record_shows_its_name_only(organisation: Organisation) -> None:
    made = organisation.add_contact(last_name="Moser")
    with organisation.work() as session:
        session.execute(update(Contact).where(Contact.id == made).values(company_name="R&D", company_id=None))
    assert "<td>R&amp;D</td>" in organisation.browser("bob").get("/contacts").text


@pytest.mark.parametrize("texts", [["a", None, "b"], ["<", "a'b", '"', None, "&amp;"], []])
def test_texts_are_escaped_as_templates_do(texts: list[str | None]) -> None:
    assert safe_texts(texts) == [str(escape(text or "")) for text in texts]
