"""Each promise of the statement is a registration in code and a marker on tests. One with neither fails the build."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.kernel.access import permission_of
from qikbiz.kernel.feature import installed
from qikbiz.trust.privacy.text import NUMBERS
from qikbiz.trust.promises.registry import keepings

TESTS = Path(__file__).parents[1]
# Promises that are not kept and proved yet. It is empty, and stays so.
NOT_YET: frozenset[str] = frozenset()


def numbers_marked_in(source: str) -> set[str]:
    """The numbers in every `promise("P…")` marker of a test file."""
    return {
        str(argument.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "promise"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }


@pytest.fixture(scope="module")
def marked() -> set[str]:
    return set().union(*(numbers_marked_in(file.read_text()) for file in TESTS.rglob("test_*.py")))


@pytest.mark.parametrize("number", NUMBERS)
def test_a_promise_is_registered_in_code_and_proved_by_a_test(number: str, marked: set[str]) -> None:
    is_kept = number in keepings() and number in marked
    if number in NOT_YET:
        assert not is_kept, f"{number} is kept and proved: take it off NOT_YET"
    else:
        assert number in keepings(), f"no package registers how it keeps {number}"
        assert number in marked, f"no test is marked promise({number!r})"


def test_nothing_is_marked_or_registered_that_is_no_promise(marked: set[str]) -> None:
    assert marked <= set(NUMBERS)
    assert set(keepings()) <= set(NUMBERS)


def test_every_room_with_a_keeping_is_in_the_registry() -> None:
    product = TESTS.parent / "platform" / "qikbiz"
    packages = {".".join(file.parent.relative_to(product.parent).parts) for file in product.glob("**/promise.py")}
    registered = {name.removesuffix(".promise:KEEPINGS") for feature in installed() for name in feature.evidence}
    assert len(packages) >= 17 and packages == registered


def test_the_place_of_every_keeping_is_a_page_of_the_tenants_site(app: QikBiz) -> None:
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if rule.subdomain == "tenant" and not rule.arguments}
    for number, several in keepings().items():
        for keeping in several:
            assert len(keeping.how) > 60, f"{number}: say how it is kept in a whole paragraph"
            assert bool(keeping.place) == bool(keeping.place_name), f"{number}: a place needs its page and its name"
            if keeping.place:
                assert keeping.place in pages, f"{number}: {keeping.place} is no page that can be linked to"
                assert permission_of(app.view_functions[keeping.place]), f"{number}: {keeping.place}"
