"""An export of a list is in the list's order."""

from __future__ import annotations

import csv
import io

import pytest

from qikbiz.kernel.errors import Failure
from qikbiz.transfer.exports.selection import PORTABLE, SPREADSHEET, Selection
from tests.exports.conftest import ExportHarness
from tests.fixtures.web import Browser
from tests.imports.test_wizard import alice

__all__ = ["alice"]


def names(export_harness: ExportHarness, selection: Selection) -> list[str]:
    packed = export_harness.zip_of(export_harness.make(selection))
    name = next(one for one in packed.namelist() if one.startswith("contacts"))
    rows = csv.DictReader(io.StringIO(packed.read(name).decode("utf-8-sig")))
    return [row.get("Last name") or row["last_name"] for row in rows]


def test_the_order_is_that_of_the_list(export_harness: ExportHarness) -> None:
    for name, email in (("b", "1@example.com"), ("c", None), ("a", "2@example.com")):
        export_harness.add(last_name=name, email=email, emails=[{"label": "", "address": email}] if email else [])
    for product in (SPREADSHEET, PORTABLE):
        for sort, right in (
            ("name", "abc"),
            ("-name", "cba"),
            ("email", "bac"),
            ("-email", "abc"),
            ("created_at", "bca"),
        ):
            found = names(export_harness, Selection("contacts", product, {"sort": [sort]}))
            assert "".join(found) == right, (product, sort)
    assert names(export_harness, Selection("contacts", SPREADSHEET)) == ["a", "b", "c"]
    assert names(export_harness, Selection("contacts", PORTABLE)) == ["b", "c", "a"]


def test_an_order_that_there_is_not_is_refused(export_harness: ExportHarness) -> None:
    with pytest.raises(Failure, match="can't be sorted by"):
        export_harness.ask(Selection("contacts", SPREADSHEET, {"sort": ["password"]}))


def test_the_form_of_an_export_takes_the_order_of_the_list_with_it(alice: Browser) -> None:
    page = alice.get("/exports/new?scope=contacts&tags=vip&sort=-name").text
    assert '<input type="hidden" name="sort" value="-name">' in page
    page = alice.get("/exports/new?scope=contacts&sort=-name").text
    assert '<input type="hidden" name="sort" value="-name">' in page
    assert 'name="sort"' not in alice.get("/exports/new?scope=contacts&sort=nothing").text
