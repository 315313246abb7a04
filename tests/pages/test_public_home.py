"""The public site's first page: an outcome, a picture, what it does, and the promises as a strip that opens."""

from __future__ import annotations

import re
from collections.abc import Callable

from qikbiz.trust.privacy.bundled_versions import founding_statement
from tests.fixtures.web import Browser


def test_it_leads_from_an_outcome_to_a_picture_to_features_to_the_promises(
    browser_at: Callable[[str], Browser],
) -> None:
    page = browser_at("localhost").get("/").text
    order = [
        page.index(words)
        for words in ("<h1", '<figure class="product"', "What it does", '<details class="promise-strip"')
    ]
    assert order == sorted(order)
    assert "proved" not in page.partition("promise-strip")[0]


def test_every_promise_stands_in_the_strip_word_for_word(browser_at: Callable[[str], Browser]) -> None:
    strip = browser_at("localhost").get("/").text.partition('<details class="promise-strip"')[2]
    for number, sentence in founding_statement().text.promises.items():
        assert f'id="{number}"' in strip and sentence.replace("'", "&#39;") in strip


def test_every_public_page_describes_itself_to_search_engines(browser_at: Callable[[str], Browser]) -> None:
    site = browser_at("localhost")
    found = {
        path: re.findall(r'<meta name="description" content="([^"]+)">', site.get(path).text)
        for path in ("/", "/privacy", "/promises", "/cookies", "/sign-in")
    }
    assert all(len(texts) == 1 and 60 <= len(texts[0]) <= 220 for texts in found.values()), found
