"""Alice makes a role that may not export and gives it to Ben, who feels it at his next click; then it changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def alice(browser_of: Callable[..., Page]) -> Page:
    return browser_of("alice")


@pytest.fixture
def ben(browser_of: Callable[..., Page]) -> Page:
    return browser_of("ben")


@pytest.mark.promise("P15")
def test_a_role_that_may_not_export(alice: Page, ben: Page) -> None:
    _make_role(alice, "Sales without files")
    _give(alice, "Ben", "Sales without files", taking="Member")
    ben.goto("/contacts")
    expect(ben.get_by_role("link", name="New contact")).to_be_visible()
    expect(ben.get_by_role("link", name="Export", exact=True)).to_have_count(0)
    expect(ben.get_by_role("link", name="Exports", exact=True)).to_have_count(0)
    for path in ("/exports/", "/exports/new", "/exports/new?scope=contacts"):
        answer = ben.goto(path)
        assert answer and answer.status == 403, path
        expect(ben.locator("main")).to_contain_text("Your role")
    _let_export_own_contacts(alice, "Sales without files")
    ben.goto("/contacts")
    ben.get_by_role("link", name="Export", exact=True).click()
    expect(ben.get_by_role("radio", name="Contacts Only")).to_be_checked()
    expect(ben.get_by_role("radio", name="Companies Only")).to_have_count(0)
    expect(ben.get_by_role("radio", name="Everything")).to_have_count(0)
    ben.get_by_role("button", name="Export").click()
    expect(ben.get_by_role("link", name="Download")).to_be_visible(timeout=120_000)
    _give(alice, "Ben", "Member", taking="Sales without files")
    answer = ben.reload()
    assert answer and answer.status == 403


def test_an_administrator_looks_as_somebody_else(alice: Page) -> None:
    alice.goto("/users")
    alice.get_by_role("link", name="Bob Lindqvist").click()
    alice.get_by_role("button", name="View as Bob").click()
    expect(alice.get_by_role("status").filter(has_text="You are viewing as")).to_contain_text("Bob Lindqvist")
    alice.goto("/contacts")
    expect(alice.get_by_role("link", name="New contact")).to_have_count(0)
    alice.get_by_role("button", name="Stop viewing").click()
    alice.goto("/contacts")
    expect(alice.get_by_role("link", name="New contact")).to_be_visible()


def _make_role(alice: Page, name: str) -> None:
    alice.goto("/roles")
    alice.get_by_role("link", name="New role").click()
    alice.get_by_label("Name").fill(name)
    alice.get_by_label("Copy from").select_option("Member")
    alice.get_by_role("button", name="Create role").click()
    expect(alice.get_by_role("heading", level=1)).to_have_text(name)
    for records in ("contacts", "companies"):
        expect(alice.get_by_label(f"Export {records}")).to_have_value("none")


def _let_export_own_contacts(alice: Page, name: str) -> None:
    alice.goto("/roles")
    alice.get_by_role("link", name=name).click()
    alice.get_by_label("Export contacts").select_option("Own")
    alice.get_by_role("button", name="Save role").click()
    expect(alice.get_by_label("Export contacts")).to_have_value("own")


def _give(alice: Page, person: str, role: str, *, taking: str) -> None:
    alice.goto("/users")
    alice.get_by_role("link", name=person).click()
    alice.get_by_role("checkbox", name=role, exact=True).check()
    alice.get_by_role("checkbox", name=taking, exact=True).uncheck()
    alice.get_by_role("button", name="Save roles").click()
    expect(alice.get_by_role("checkbox", name=role, exact=True)).to_be_checked()
    expect(alice.get_by_role("checkbox", name=taking, exact=True)).not_to_be_checked()
