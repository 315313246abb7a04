"""On a phone, in the dark, and for screen readers: nothing sticks out, everything is reached, axe finds nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import Browsers
from tests.fixtures.axe import THIN_OUT, axe_problems

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}
# Each page is loaded once and looked at in these ways: all rules where other parts show, the colours alone where only
# they differ. Loading again for each took the most of the time.
LOOKS: tuple[tuple[Literal["light", "dark"], ViewportSize, tuple[str, ...]], ...] = (
    ("light", DESK, ()),
    ("dark", PHONE, ()),
    ("light", PHONE, ("color-contrast",)),
)
NOT_THERE = "/not-there"
OF_A_TENANT = (
    "/",
    "/contacts",
    "/contacts?q=no-such-person",
    "/contacts?lifecycle_stage=Customer&sort=-updated_at",
    "/contacts/filters",
    "/contacts/new",
    "/contacts/trash",
    "/companies",
    "/imports/",
    "/imports/new",
    "/exports/",
    "/exports/new",
    "/search?q=an",
    "/notifications",
    NOT_THERE,
    "/users",
    "/users/invitation",
    "/promises",
    "/audit",
    "/settings/general",
    "/profile",
    "/profile/password",
    "/profile/sessions",
)
OF_THE_CONSOLE = (NOT_THERE, "/", "/tenants/acme", "/tenants/new", "/jobs", "/mails", "/addresses", "/audit")


LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def fill_in_everything(browsers: Browsers) -> None:
    """A contact with a long value in every field, given to Alice: she has an unread notification besides."""
    page = browsers.log_in("ben")
    page.goto("/contacts/new")
    # The longest text that each field takes; kinds with a form of their own are given one that fits.
    page.locator("form.form input[type=text]:not([list]), form.form textarea").evaluate_all(
        "(fields, long) => fields.forEach(f => { f.value = long.slice(0, f.maxLength > 0 ? f.maxLength : 80) })", LONG
    )
    for name, value in (("emails-0-address", f"{'a' * 60}@{'b' * 60}.example"), ("phones-0-number", "+43 316 873 0")):
        page.locator(f"[name={name}]").fill(value)
    page.get_by_label("Tags").fill("Key account, Fair 2026, Speaks French")
    page.get_by_label("Owner").select_option(label="Alice Arden")
    page.get_by_role("button", name="Save contact").click()
    page.wait_for_url(lambda address: "/new" not in address)


def with_a_record(page: Page) -> tuple[str, ...]:
    page.goto("/contacts")
    page.goto("/companies")
    company = page.locator("a.record-link").first.get_attribute("href")
    page.goto(f"/contacts?q={LONG[:20]}")
    contact = page.locator("a.record-link").first.get_attribute("href")
    return (*OF_A_TENANT, f"{contact}", f"{contact}?tab=details", f"{contact}/edit", f"{company}")


@pytest.mark.parametrize("name", ["alice", "olivia"])
def test_axe_finds_nothing_and_nothing_sticks_out(browsers: Browsers, name: str) -> None:
    found: dict[str, list[str]] = {}
    if name == "alice":
        fill_in_everything(browsers)
    page = browsers.log_in(name, color_scheme="light", viewport=DESK)
    for path in with_a_record(page) if name == "alice" else OF_THE_CONSOLE:
        answer = page.goto(path)
        assert answer and (answer.ok or path == NOT_THERE), path
        if boxes := page.locator(".select-cell input[name=ids]").all():
            boxes[0].check()  # brings the bar of acts
        if name == "olivia":
            page.locator("main details:not(.menu)").evaluate_all("parts => parts.forEach(part => { part.open = true })")
        found |= {f"{path} {size['width']}": too_wide(page, size) for size in (PHONE, DESK)}
        page.evaluate(THIN_OUT)
        for theme, size, rules in LOOKS:
            found[f"{path} {theme} {size['width']}"] = problems_in(page, theme, size, *rules)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESK)
    faults = {place: problems for place, problems in found.items() if problems}
    assert not faults, faults


def too_wide(page: Page, size: ViewportSize) -> list[str]:
    page.set_viewport_size(size)
    is_wider = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return ["is wider than the screen"] if is_wider else []


def problems_in(page: Page, theme: Literal["light", "dark"], size: ViewportSize, *rules: str) -> list[str]:
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=theme)
    return axe_problems(page, *rules)


def test_a_phone_reaches_lists_records_and_the_rest_by_its_bar(browser_of: Callable[..., Page]) -> None:
    page = browser_of("alice", viewport=PHONE, has_touch=True, is_mobile=True)
    bar = page.get_by_role("navigation", name="Main, small screen")
    expect(page.get_by_role("complementary", name="Main")).to_be_hidden()
    bar.get_by_role("link", name="Contacts").tap()
    expect(page.get_by_role("heading", level=1, name="Contacts")).to_be_visible()
    expect(page.get_by_role("link", name="New contact")).to_be_in_viewport()
    name = page.locator("a.record-link").first.inner_text().splitlines()[-1]
    page.locator("a.record-link").first.tap()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_in_viewport()
    expect(page.get_by_role("link", name="Edit", exact=True)).to_be_in_viewport()
    bar.get_by_text("More").tap()
    bar.get_by_role("link", name="Settings").tap()
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Audit").tap()
    expect(page.get_by_role("heading", level=1, name="Audit")).to_be_visible()
    bar.get_by_text("More").tap()
    bar.get_by_role("button", name="Sign out").tap()
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()


def test_a_phone_searches(browser_of: Callable[..., Page]) -> None:
    page = browser_of("alice", viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto("/contacts")
    page.get_by_label("Search contacts", exact=True).tap()
    page.keyboard.type("kahananui")
    expect(page.locator("a.record-link").first).to_contain_text("Kahananui")
    page.get_by_text("Filter", exact=True).tap()
    expect(page.get_by_label("Stage").first).to_be_in_viewport()


def test_the_chosen_theme_goes_before_the_computers(browser_of: Callable[..., Page]) -> None:
    page = browser_of("mallory", color_scheme="light")
    page.goto("/profile")
    page.get_by_role("radio", name="Dark").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Messages")).to_contain_text(re.compile("saved", re.I))
    expect(page.locator("html")).to_have_css("color-scheme", "dark")
    page.get_by_role("radio", name="Light").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_css("color-scheme", "light")


def test_an_operators_phone_reaches_every_page_of_the_console(browser_of: Callable[..., Page]) -> None:
    page = browser_of("olivia", viewport=PHONE, has_touch=True, is_mobile=True)
    bar = page.get_by_role("navigation", name="Console, small screen")
    for name, heading in (("Announcements", "Announcements"), ("Audit", "Audit"), ("Your profile", "Your profile")):
        bar.get_by_text("More").tap()
        bar.get_by_role("link", name=name, exact=True).tap()
        expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    labels = [label.bounding_box() for label in bar.locator("> *").all()]
    assert len(labels) == 5 and all(box and box["width"] >= 70 for box in labels)


def test_the_longest_name_is_broken_rather_than_wider_than_a_phone(browser_of: Callable[..., Page]) -> None:
    page = browser_of("alice", viewport=PHONE)
    name = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    page.goto("/users/invitation")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Email").fill(f"{'a' * 60}@{'b' * 60}.example")
    page.get_by_role("button", name="Send invitation").click()
    page.get_by_role("link", name=name).first.click()
    user = page.url
    for path in ("", "/handover", "/deactivation", "/sessions"):
        page.goto(user + path)
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), path
    page.goto("/audit")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
