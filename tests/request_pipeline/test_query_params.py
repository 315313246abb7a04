"""A list answers any query: with rows, or with a sentence that says what is wrong. Never 500."""

from __future__ import annotations

import base64
import inspect
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_ASKED = re.compile(r"(?:args\.get|args|id_asked|day_asked|first|asked)\(?\[?\(?(?:arguments, )?\"([a-z_]+)\"")
ID = "01a223fd-c639-7549-9f72-9929609ecd55"
_FILTERED = ("/contacts/", "/companies/", "/exports/new")
_FILTERS = ("after", "before", "sort", "q", "created_at_from", "created_at_to", "changed_at_to", "owner", "tags")


def cursor(*content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


# What some column, calendar, parser or index can't hold.
ODD = (
    *(" ", "\x00", "a\x00b", "\ud7ff\U0010ffff", "x" * 3_000, "٣", "²", "%", "\\", "'", "%00", "null", "[]", "{}"),
    *("0001-01-01", "9999-12-31", "10000-01-01", "2026-02-30", "2026-13-45"),
    *("-1", "0", "99999999999999999999999", "1e400", "NaN", "Infinity", "-0.0"),
    *(ID, "00000000-0000-0000-0000-000000000000"),
    *("name", "-name", "-changed_at", "created_at"),
)
CURSORS = (
    cursor("name", "\ud800", ID),
    cursor("name", "x", ID),
    cursor("name", 7, 8),
    cursor("name", None, ID),
    cursor("-changed_at", "9999-12-31T23:59:59-14:00", ID),
    cursor("-changed_at", "0001-01-01T00:00:00+14:00", ID),
    cursor("-changed_at", "\ud800", ID),
    cursor("-changed_at", "", None),
    cursor("created_at", "2026-01-01", "x"),
    cursor(None, None, None),
    cursor(),
    "rubbish",
    "=",
    "é",
)


@pytest.fixture(scope="module")
def pages(app):
    """Every page without a place in its path, as (path, names that it reads from its address), by surface."""
    found = {"tenant": [], "console": []}
    for rule in app.url_map.iter_rules():
        if rule.subdomain in found and "GET" in rule.methods and not rule.arguments:
            module = inspect.getmodule(inspect.unwrap(app.view_functions[rule.endpoint]))
            names = set(_ASKED.findall(inspect.getsource(module))) if module else set()
            names |= set(_FILTERS) if rule.rule in _FILTERED else set()
            if names:
                found[rule.subdomain].append((rule.rule, sorted(names)))
    return {surface: sorted(asked) for surface, asked in found.items()}


@pytest.mark.parametrize(("surface", "who"), [("tenant", "alice"), ("console", "olivia")])
def test_no_value_in_an_address_is_our_mistake(pages, client_for, surface, who):
    browser = client_for(who)
    assert len(pages[surface]) > 5

    @settings(max_examples=50, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def ask(data):
        path, names = data.draw(st.sampled_from(pages[surface]))
        name = data.draw(st.sampled_from(names))
        value = data.draw(st.sampled_from(ODD + CURSORS) | st.text(max_size=40))
        answer = browser.get(path, query_string={name: value}, check=False)
        assert answer.status_code < 500, (path, name, value)

    ask()


@pytest.mark.parametrize("path", ["/contacts/", "/companies/"])
def test_a_cursor_that_we_did_not_make_says_where_to_start_again(client_for, path):
    alice = client_for("alice")
    for sort in ("name", "-name", "-created_at"):
        assert alice.get(path, query_string={"sort": sort}).status_code == 200
        for text in CURSORS:
            for end in ("after", "before"):
                answer = alice.get(path, query_string={"sort": sort, end: text})
                assert answer.status_code in (200, 400), (sort, end, text)
                if answer.status_code == 400:
                    assert "Start again from the first page" in answer.text


@pytest.mark.parametrize("path", ["/contacts/", "/companies/", "/exports/new?scope=contacts"])
def test_a_day_past_the_end_of_the_calendar_names_its_filter(client_for, path):
    separator = "&" if "?" in path else "?"
    answer = client_for("alice").get(f"{path}{separator}created_at_to=9999-12-31")
    assert answer.status_code == 400
    assert "The filter Created" in answer.text
