"""What a few characters find. Special characters are only spaces; nothing that is typed breaks the query."""

from sqlalchemy import func, select

from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.records.search_condition import search_condition
from tests.fixtures.world import Organisation

PEOPLE = {
    "ann": {
        "first_name": "Ann",
        "last_name": "O'Neil-Smith",
        "email": "ann.lee@acme.example.com",
        "phone": "+436641234567",
    },
    "oskar": {"first_name": "Oskar", "last_name": "Österreicher", "company_name": None},
    "percent": {"first_name": "100%", "last_name": "Under_score"},
    "bob": {
        "first_name": "Bob",
        "emails": [{"label": "", "address": "bob@example.com"}, {"label": "", "address": "second@else.example"}],
    },
}


CASES = [
    ("ann", ["ann"]),
    ("ANN", ["ann"]),
    ("neil", ["ann"]),
    ("o'neil", ["ann"]),
    ("smith ann", ["ann"]),
    ("ann.lee@acme", ["ann"]),
    ("ann.lee@acme.example.com", ["ann"]),
    ("acme", ["ann"]),
    ("0664 123", ["ann"]),
    ("+43 664 12", ["ann"]),
    ("0043664", ["ann"]),
    ("osterr", ["oskar"]),
    ("österr", ["oskar"]),
    ("o", ["ann", "oskar"]),
    ("second@else.example", ["bob"]),
    ("100", ["percent"]),
    ("under", ["percent"]),
    ("nobody", []),
    ("%", []),
    ("_", []),
    ("\\", []),
    ("'", []),
    ("'; reset role; --", []),
    ("& | ! ( ) <-> :*", []),
    ("(a+)+$" + "a" * 10_000, []),
    ("\x00", []),
    ("\U0001f600", []),
]


def test_words_find_by_their_beginning_and_signs_find_nothing(organisation: Organisation) -> None:
    ids = {organisation.add_contact(**values): name for name, values in PEOPLE.items()}
    with organisation.work() as session:
        for typed, expected in CASES:
            query = select(Contact.id).where(search_condition(CONTACTS, typed))
            assert sorted(ids[str(row.id)] for row in session.execute(query)) == expected, typed


def test_a_long_search_is_cut_and_answered(organisation: Organisation) -> None:
    organisation.add_contact(last_name="x" * 100)
    with organisation.work() as session:
        query = select(func.count()).select_from(Contact).where(search_condition(CONTACTS, "x" * 10_000))
        assert session.scalar(query) == 0
