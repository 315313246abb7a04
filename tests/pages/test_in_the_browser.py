"""The design in a real Chromium: nothing is blocked by the content policy, axe finds nothing, keys do what they say."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from provisioning.embedded.processes import wait_until
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.site.styleguide import PAGES
from tests.fixtures.axe import THIN_OUT, axe_problems

PUBLIC = ("/", "/privacy", "/promises", "/cookies", "/sign-in")

pytestmark = pytest.mark.browser
WIDE, NARROW = 1440, 390


@pytest.fixture(scope="module")
def address(site_app: QikBiz) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, site_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=address, reduced_motion="reduce")
    page = context.new_page()
    yield page
    context.close()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the scripts of its pages, the content policy and the browser complain of."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def wait_for(page: Page, condition: str) -> None:
    """Until a condition in JavaScript holds. Playwright's own way asks a second time by `eval`, which pages refuse."""
    assert wait_until(lambda: bool(page.evaluate(condition)), seconds=10), condition


def test_axe_finds_nothing_on_any_page(page: Page, complaints: list[str]) -> None:
    page.set_viewport_size({"width": WIDE, "height": 844})
    found = {}
    for path in (*PUBLIC, *(f"/styleguide/{name}" for name in PAGES), "/styleguide/error/bug"):
        page.emulate_media(color_scheme="light")
        page.goto(path)
        page.evaluate(THIN_OUT)
        found[f"{path} light"] = axe_problems(page)
        # Nothing but the colours differs.
        page.emulate_media(color_scheme="dark")
        found[f"{path} dark"] = axe_problems(page, "color-contrast")
    faults = {place: problems for place, problems in found.items() if problems}
    assert not faults, faults
    # The last page answers so on purpose.
    assert len(complaints) == 1 and "500" in complaints[0], complaints


def test_no_page_is_wider_than_its_window_or_complains(page: Page, complaints: list[str]) -> None:
    for path in (*PUBLIC, *(f"/styleguide/{name}" for name in PAGES)):
        page.set_viewport_size({"width": NARROW, "height": 844})
        page.goto(path)
        for width in (NARROW, WIDE):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
    assert complaints == []


def test_a_dangerous_act_waits_until_its_name_is_typed(page: Page) -> None:
    page.goto("/styleguide/parts")
    page.get_by_role("button", name="Ask first").click()
    dialog = page.get_by_role("dialog", name="Delete Acme Trading?")
    expect(dialog.get_by_role("button", name="Delete permanently")).to_be_disabled()
    dialog.get_by_label("Type acme to confirm").fill("acme")
    expect(dialog.get_by_role("button", name="Delete permanently")).to_be_enabled()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Ask first")).to_be_focused()


def test_menus_open_with_a_click_and_close_with_escape(page: Page) -> None:
    page.goto("/styleguide/list")
    page.get_by_text("Filter", exact=True).click()
    expect(page.get_by_role("link", name="Has no email")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Owner is me", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Has no email")).to_be_hidden()


def test_ticking_rows_brings_the_bar_and_shift_ticks_a_range(page: Page) -> None:
    page.goto("/styleguide/list")
    boxes = page.locator('input[name="ids"]')
    boxes.nth(0).check()
    boxes.nth(3).click(modifiers=["Shift"])
    expect(page.locator("[data-bulk-bar]")).to_contain_text("4 selected")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("[data-bulk-bar]")).to_be_hidden()


def test_a_list_is_worked_from_the_keyboard(page: Page) -> None:
    page.goto("/styleguide/list")
    page.keyboard.press("/")
    expect(page.get_by_label("Search contacts")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-bar]")).to_contain_text("1 selected")
    page.keyboard.press("?")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(shortcuts).to_be_visible()
    page.keyboard.press("Escape")
    expect(shortcuts).to_be_hidden()
    # A moment after it is hidden the dialog gives the focus back.
    expect(page.locator("tr.is-current a").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/styleguide/record")


def test_a_search_shows_its_rows_while_one_types(page: Page) -> None:
    page.goto("/styleguide/list")
    field = page.get_by_label("Search contacts")
    field.press_sequentially("chiara r")
    expect(page.locator("tbody tr")).to_have_count(3)
    field.press_sequentially("ossi")
    expect(page).to_have_url(re.compile(r"/styleguide/list\?q=chiara\+rossi"))
    expect(field).to_be_focused()
    expect(field).to_have_value("chiara rossi")
    expect(page.locator(".page-count")).to_have_text("1")
    field.fill("")
    expect(page.locator("tbody tr")).to_have_count(24)
    page.locator('input[name="ids"]').first.check()
    expect(page.locator("[data-bulk-bar]")).to_contain_text("1 selected")


def test_lines_of_a_form_are_added_and_removed(page: Page) -> None:
    page.goto("/styleguide/form")
    page.get_by_role("button", name="Add an email").click()
    added = page.locator('input[name="emails-1-address"]')
    expect(added).to_be_focused()
    page.get_by_role("button", name="Remove this line").last.click()
    expect(added).to_have_count(0)


def test_unsaved_changes_are_not_lost_without_a_question(page: Page) -> None:
    page.goto("/styleguide/form")
    page.get_by_label("Given name").fill("Anna")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/styleguide/list")
    assert asked == ["beforeunload"]


def test_the_head_of_a_long_list_stays_in_view(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 600})
    page.goto("/styleguide/list")
    page.mouse.wheel(0, 500)
    heading = "document.querySelectorAll('thead th')[1].getBoundingClientRect()"
    wait_for(page, f"scrollY > 100 && Math.abs({heading}.y) <= 2")
    assert page.locator("thead th").nth(1).bounding_box()["y"] == pytest.approx(0, abs=2)  # type: ignore[index]


def test_names_of_europe_need_no_large_font(page: Page) -> None:
    page.goto("/styleguide/list")
    page.evaluate("document.querySelector('h1').textContent = 'Jiří Żółć, Şule, Țepeș, Ørsted, Łódź'")
    wait_for(page, "document.fonts.status === 'loaded'")
    sizes = page.evaluate("""performance.getEntriesByType("resource").filter(e => e.name.endsWith(".woff2"))
                             .map(e => [e.name.split("/").pop().split("-wght")[0], e.decodedBodySize])""")
    assert max(size for _, size in sizes) < 50_000, sizes
    assert not [name for name, _ in sizes if name.startswith("inter-latin-ext")], sizes
    assert any(name.startswith("inter-names") for name, _ in sizes), sizes


def test_a_narrow_sidebar_is_remembered(page: Page) -> None:
    page.goto("/styleguide/list")
    page.get_by_role("button", name="Collapse the sidebar").click()
    page.reload()
    expect(page.get_by_role("button", name="Expand the sidebar")).to_be_visible()


def test_pages_work_without_javascript(chromium: Browser, address: str) -> None:
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/styleguide/list")
    expect(page.get_by_role("button", name="Search")).to_be_visible()
    page.locator("summary", has_text="Columns").click()
    expect(page.get_by_label("City")).to_be_visible()
    page.goto("/styleguide/parts#sample-delete")
    expect(page.get_by_role("button", name="Delete permanently")).to_be_visible()
    context.close()
