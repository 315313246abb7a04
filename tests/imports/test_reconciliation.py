"""For any file the counts add up to its rows, and the records are what a few lines of Python say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qikbiz.crm.schema.kinds.email import quick_email
from qikbiz.crm.schema.kinds.phone import quick_phone
from qikbiz.crm.schema.normalize import normalise_email, normalise_phone
from qikbiz.crm.schema.record_type import derived_columns
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.transfer.imports.converting import Converter
from qikbiz.transfer.imports.csv_dialect import Format
from qikbiz.transfer.imports.encoding import copy_array
from qikbiz.transfer.imports.mapping import guess
from qikbiz.transfer.imports.plans import Plan
from tests.imports.harness import ImportHarness, csv_text

HEADER = ["Last name", "Email", "City"]
NAMES = st.sampled_from(["", "Lee", "Özil", "=1+1", 'O\'Neil, "Jr"', "a\\b\tc", "  "])
EMAILS = st.sampled_from(["", "ann@example.com", "ANN@example.com ", "bo@example.com", "cy@example.com", "broken"])
CITIES = st.sampled_from(["", "Graz", "Linz", "x" * 101])
FILES = st.lists(st.lists(st.tuples(NAMES, EMAILS, CITIES), min_size=1, max_size=8), min_size=1, max_size=3)


@dataclass
class Model:
    """Contacts by address, as simply as it can be said."""

    known: dict[str, dict[str, str]] = field(default_factory=dict)
    nameless: int = 0

    def take(self, rows: list[tuple[str, str, str]]) -> Mapping[str, int]:
        counts = dict.fromkeys(("created", "updated", "unchanged", "invalid"), 0)
        seen: set[str] = set()
        for name, email, city in (
            (a.strip(" "), b.strip().lower(), c) for a, b, c in rows if any(map(str.strip, (a, b, c)))
        ):
            counts[self._one(name, email, city, seen)] += 1
        return counts

    def _one(self, name: str, email: str, city: str, seen: set[str]) -> str:
        if email == "broken" or (email and email in seen):
            return "invalid"
        # Too long for the field: the cell is skipped.
        city = city if len(city) <= 100 else ""
        if not email:
            self.nameless += bool(name)
            return "created" if name else "invalid"
        seen.add(email)
        given = {key: value for key, value in (("last_name", name), ("city", city)) if value}
        before = self.known.get(email)
        self.known[email] = {**(before or {}), **given}
        if before is None:
            return "created"
        return "updated" if self.known[email] != before else "unchanged"


@given(files=FILES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_add_up_and_the_records_are_what_the_files_say(
    import_harness: ImportHarness, files: list[list[tuple[str, str, str]]]
) -> None:
    model = Model()
    with import_harness.at_work() as session:
        session.connection().exec_driver_sql("DELETE FROM contacts")
    for rows in files:
        if not any(any(map(str.strip, row)) for row in rows):
            continue
        import_id = import_harness.upload(csv_text(HEADER, rows))
        import_harness.choose(import_id, key="email")
        counts = import_harness.check(import_id)
        assert {name: counts[name] for name in ("created", "updated", "unchanged", "invalid")} == model.take(rows)
        import_harness.apply(import_id)
    records = import_harness.records()
    assert len(records) == len(model.known) + model.nameless
    for record in records:
        if record.email:
            wanted = model.known[record.email]
            assert (record.last_name, record.city) == (wanted.get("last_name"), wanted.get("city"))


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@given(
    first=TEXT,
    last=TEXT,
    company=TEXT,
    email=st.sampled_from(["", "Ann@Example.com"]),
    phone=st.sampled_from(["", "+49 30 1234567"]),
)
@settings(max_examples=200, deadline=None)
def test_the_quick_way_computes_the_columns_that_forms_compute(
    first: str, last: str, company: str, email: str, phone: str
) -> None:
    header = ["First name", "Last name", "Company", "Email", "Phone"]
    plan = Plan("contacts", Format("utf-8", ","), guess(RECORD_TYPES["contacts"], header), "email", "upsert")
    found = Converter(plan, header).convert([first, last, company, email, phone])
    if found.problems or found.skipped:
        return
    slow = derived_columns(
        plan.record_type,
        {
            name: value
            for name, value in found.values.items()
            if name in ("first_name", "last_name", "company_name", "email", "phone")
        },
    )
    for name in ("sort_name", "email", "phone"):
        assert (found.values.get(name) or None) == (slow[name] or None)
    fields = dict(zip(("first_name", "last_name", "company_name"), (first, last, company), strict=True))
    for name, text in fields.items():
        assert found.values.get(name) == RECORD_TYPES["contacts"].field(name).parse(text)


def _answer(normalise: object, *arguments: str) -> object:
    try:
        return normalise(*arguments)  # type: ignore[operator]
    except FieldProblem as problem:
        return str(problem)


DIGITS = st.text("0123456789", min_size=2, max_size=14)
SEPARATORS = st.sampled_from(["", " ", "-", ".", "(", ")", " (0)", "x"])


@given(
    code=st.sampled_from(
        ["1", "7", "20", "33", "39", "43", "44", "49", "52", "54", "55", "225", "372", "800", "881", "999"]
    ),
    digits=DIGITS,
    mark=SEPARATORS,
    place=st.integers(0, 14),
)
@settings(max_examples=1_500, deadline=None)
def test_quick_phones_are_the_librarys(code: str, digits: str, mark: str, place: int) -> None:
    written = f"+{code} {digits[:place]}{mark}{digits[place:]}"
    assert _answer(quick_phone, written) == _answer(normalise_phone, written)
    assert _answer(quick_phone, digits, "DE") == _answer(normalise_phone, digits, "DE")


@given(
    local=st.text("abcXYZ019._+-'! ", max_size=70) | st.text("aZ9.", min_size=1, max_size=70),
    domain=st.sampled_from(
        [
            "example.com",
            "Ex.ORG",
            "a.test",
            "localhost",
            "x.local",
            "-a.com",
            "a..b",
            "mail.example",
            "xn--a",
            "b_c.com",
        ]
    ),
)
@settings(max_examples=1_000, deadline=None)
def test_quick_addresses_are_the_librarys(local: str, domain: str) -> None:
    written = f"{local}@{domain}"
    assert _answer(quick_email, written) == _answer(normalise_email, written)


@given(st.lists(st.none() | TEXT.filter(lambda text: not set(text) & {"\x00", "\x1e"}), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_text_is_staged_arrives_exactly(import_harness: ImportHarness, values: list[str | None]) -> None:
    from qikbiz.transfer.imports.sql import link_of

    ident = import_harness.actor.id
    with import_harness.at_work() as session:
        link = link_of(session)
        link.execute("DELETE FROM import_rows")
        with link.cursor().copy("COPY import_rows (import_id, row, outcome, values) FROM STDIN") as copy:
            copy.write(f"{ident}\t1\tcreated\t{copy_array(values)}\n")
        (found,) = link.execute("SELECT values FROM import_rows").fetchall()
        link.execute("DELETE FROM import_rows")
    assert found[0] == values
