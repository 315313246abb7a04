"""The ids of imported records are made in SQL: of version 7, in the order of names, and never twice."""

from __future__ import annotations

import pytest

from qikbiz.transfer.imports import apply
from tenants.control import new_id
from tests.imports.harness import ImportHarness, csv_text


def people(first: int, count: int) -> str:
    rows = [[f"Ann {number}", f"ann{number}@example.com"] for number in range(first, first + count)]
    return csv_text(["Last name", "Email"], rows)


def test_ids_are_of_version_7_and_in_the_order_of_names(import_harness: ImportHarness) -> None:
    import_harness.bring_in(people(100, 50))
    # The last row of a file is written apart.
    ids = [record.id for record in import_harness.records() if record.email != "ann149@example.com"]
    assert len(ids) == 49
    assert {id_.version for id_ in ids} == {7}
    assert {id_.variant for id_ in ids} == {"specified in RFC 4122"}
    assert ids == sorted(ids)


def test_imports_in_the_same_moment_make_different_ids(
    import_harness: ImportHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = new_id()
    monkeypatch.setattr(apply, "new_id", lambda: moment)
    for number in range(5):
        import_harness.bring_in(people(number * 10, 2))
    assert len({record.id for record in import_harness.records()}) == 10


def test_a_prefix_is_eighty_bits_and_differs_each_time() -> None:
    found = {apply.id_prefix() for _ in range(100)}
    assert {len(prefix) for prefix in found} == {20}
    assert len(found) == 100
