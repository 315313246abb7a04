"""A name that turns the direction of text turns nothing but itself, and is kept as it is."""

from __future__ import annotations

from tests.browser.conftest import Desk

# Right-to-left override: what follows is drawn backwards until something ends it.
TURNING = "Ann\u202egnp.exe"
# Text right behind the name, in the same line: whether its first figure is left of its second.
BEHIND = """(name) => {
    const line = document.createElement('p');
    line.append(name, '12');
    document.querySelector('main').append(line);
    const text = line.lastChild, range = document.createRange();
    const left = place => { range.setStart(text, place); range.setEnd(text, place + 1);
                            return range.getBoundingClientRect().left; };
    return left(0) < left(1);
}"""


def test_what_stands_beside_such_a_name_is_drawn_as_ever(desk: Desk) -> None:
    page = desk.log_in("alice")
    page.goto("/contacts/new")
    page.get_by_label("First name").fill(TURNING)
    page.get_by_label("Last name").fill("Lee")
    page.locator("form.form button[type=submit]").first.click()
    page.wait_for_url("**/contacts/*-*")
    page.goto("/contacts?q=Lee")
    assert TURNING in (page.locator("a.record-link", has_text="Lee").first.text_content() or "")
    for tag in ("a", "span", "small", "strong", "em"):
        made = f"Object.assign(document.createElement('{tag}'), {{ textContent: {TURNING!r} }})"
        assert page.evaluate(f"({BEHIND})({made})"), tag
    assert not page.evaluate(f"({BEHIND})({TURNING!r})"), "Without an element around it the name turns what follows."
