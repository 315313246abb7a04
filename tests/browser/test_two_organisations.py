"""The same pages in two organisations: each shows its own people and nothing else, and a login is good in one only."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Browsers, fill_in_login
from tests.browser.product import Product


def names_in(page: Page) -> set[str]:
    page.goto("/contacts")
    expect(page.get_by_role("heading", level=1, name="Contacts")).to_be_visible()
    return {link.get_attribute("href") or "" for link in page.locator("a.record-link").all()}


def test_the_same_list_shows_each_organisation_its_own(browser_of: Callable[..., Page]) -> None:
    alice, mallory = browser_of("alice"), browser_of("mallory")
    hers, theirs = names_in(alice), names_in(mallory)
    assert len(hers) == len(theirs) == 50
    assert not hers & theirs
    expect(alice).to_have_title("Contacts · Acme Industrial")
    expect(mallory).to_have_title("Contacts · Globex Logistics")


def test_an_address_of_another_organisation_is_nowhere(browser_of: Callable[..., Page]) -> None:
    alice, mallory = browser_of("alice"), browser_of("mallory")
    path = sorted(names_in(alice))[0]
    found, nowhere = alice.goto(path), mallory.goto(path)
    assert found and found.status == 200
    assert nowhere and nowhere.status == 404
    expect(mallory.get_by_role("heading", level=1)).to_be_visible()
    expect(mallory.locator("body")).not_to_contain_text("Acme")
    # A page that neither has looks the same, but for its reference.
    never = mallory.goto(path[:-1] + ("0" if path[-1] != "0" else "1"))
    assert never and never.status == 404


def test_cookies_of_one_organisation_open_nothing_in_another(browsers: Browsers, product: Product) -> None:
    alice = browsers.log_in("alice", remember=True)
    stolen = [cookie | {"domain": "globex.localhost"} for cookie in alice.context.cookies()]
    thief = browsers.open("globex")
    thief.context.add_cookies(stolen)  # type: ignore[arg-type]
    thief.goto("/contacts")
    expect(thief.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    # And nothing changes at Acme: the same cookies still are Alice's.
    alice.goto("/contacts")
    expect(alice.get_by_role("heading", level=1, name="Contacts")).to_be_visible()


def test_one_browser_can_be_in_both_at_the_same_time(browsers: Browsers, product: Product) -> None:
    acme = browsers.log_in("alice")
    globex = acme.context.new_page()
    globex.goto(product.address("globex") + "/contacts")
    expect(globex.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    fill_in_login(globex, product.people["mallory"], at=product.address("globex"))
    for page, own in ((acme, "Acme Industrial"), (globex, "Globex Logistics"), (acme, "Acme Industrial")):
        page.reload()
        expect(page.locator(".sidebar .brand-name")).to_have_text(own)
    acme.get_by_role("link", name="Companies").first.click()
    expect(acme).to_have_title("Companies · Acme Industrial")


def test_two_tabs_of_one_login_go_on_side_by_side(browsers: Browsers) -> None:
    first = browsers.log_in("ben")
    second = first.context.new_page()
    second.goto("/companies")
    first.goto("/contacts/new")
    first.get_by_label("First name").fill("Tabea")
    second.get_by_role("link", name="New company").click()
    second.get_by_label("Name required").fill("Two Tabs Ltd")
    second.get_by_role("button", name="Save company").click()
    expect(second.get_by_role("heading", level=1, name="Two Tabs Ltd")).to_be_visible()
    first.get_by_role("button", name="Save contact").click()
    expect(first.get_by_role("heading", level=1, name="Tabea")).to_be_visible()
