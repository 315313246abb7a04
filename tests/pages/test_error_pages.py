"""An error page says what happened, what to do, which reference to quote, and a way on."""

from __future__ import annotations

import re
from pathlib import Path

import html5lib
import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from qikbiz.kernel.errors import Failure
from qikbiz.web.error_pages import render_error
from qikbiz.web.error_texts import TEXTS

REQUIRED = {400, 403, 404, 405, 409, 410, 413, 429, 500, 503}
FORBIDDEN_WORDS = (
    "invalid",
    "entity",
    "payload",
    "exception",
    "internal server",
    "forbidden",
    "postgres",
    "redis",
    "csrf",
)


def test_every_status_that_we_answer_has_a_text() -> None:
    assert {text.status for text in TEXTS.values()} >= REQUIRED


@pytest.mark.parametrize("key", TEXTS)
def test_every_error_page_is_complete(key: str, built_assets: Path) -> None:
    page = render_error(key, "0f3c9a77d1e2")
    html5lib.HTMLParser(strict=True).parse(page)
    text = TEXTS[key]
    assert page.count("<h1>") == 1
    assert str(escape(text.title)) in page
    assert f"Error {text.status}" in page
    assert "0f3c9a77d1e2" in page
    assert 'rel="stylesheet"' in page
    assert "<script" not in page
    assert "style=" not in page


@pytest.mark.parametrize("key", TEXTS)
def test_an_error_speaks_plainly(key: str) -> None:
    text = TEXTS[key]
    words = f"{text.title} {text.happened} {text.do}".lower()
    assert not [word for word in FORBIDDEN_WORDS if re.search(rf"\b{word}", words)]


def test_an_error_page_is_made_even_when_our_own_files_are_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("qikbiz.web.assets.DIST", tmp_path)
    page = render_error("database_away", "abc")
    assert "stylesheet" not in page
    assert "Records unavailable" in page


def test_an_unknown_kind_of_error_is_our_mistake() -> None:
    assert TEXTS["bug"].title in render_error("something new", "abc")
    assert "Choose another name." in render_error("something new", "abc", text="Choose another name.")


def test_what_a_visitor_typed_is_shown_as_text_only() -> None:
    assert "<b>" not in render_error("conflict", "<b>", text="<b>x</b>", place="<b>Acme</b>")


def test_every_failure_of_the_program_has_a_page_of_its_own(visitor: FlaskClient) -> None:
    """A feature's own refusals have their own sentence, shown beside the form that caused them."""
    everywhere = ("qikbiz.kernel.errors", "qikbiz.web", "qikbiz.app")
    kinds = {kind for kind in _all_kinds(Failure) if kind.__module__.startswith(everywhere)}
    assert {kind.key for kind in kinds} <= set(TEXTS)


def test_a_page_that_does_not_exist_answers_with_the_reference_of_its_request(visitor: FlaskClient) -> None:
    response = visitor.get("/nothing/here")
    assert response.status_code == 404
    assert TEXTS["not_found"].title in response.text
    assert response.headers["X-Request-Id"] in response.text


def test_the_wrong_method_is_explained(visitor: FlaskClient) -> None:
    response = visitor.post("/privacy")
    assert response.status_code == 405
    assert "Allow" in response.headers


def _all_kinds(kind: type[Failure]) -> set[type[Failure]]:
    return {kind}.union(*(_all_kinds(inner) for inner in kind.__subclasses__()))
