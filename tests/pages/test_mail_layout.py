"""Mails: a subject in one line, a text and a page that say the same, nothing fetched from anywhere."""

from __future__ import annotations

import re

import pytest
from jinja2 import Environment, UndefinedError, meta

from qikbiz.kernel.accents import ACCENTS
from qikbiz.messaging.mail.rendering import LINE, TEMPLATES, render_mail

URL = "https://acme.qikbiz.example/invitation/" + "x" * 90
VALUES = {
    "name": "Ann Lee",
    "organisation": "Acme & Sons",
    "invited_by": "Alice",
    "url": URL,
    "expires": "29 Nov 2026, 14:05",
    "when": "22 Nov 2026, 09:12",
    "device": "Firefox on Linux",
    "rows": "104,312",
    "size": "14.5 MB",
    "days": 7,
    "hours": 1,
    "what": "Everything",
    "person": "Alice",
    "problem": "The disk is full.",
    "reference": "J-1A2B3C4D",
    "file": "contacts.csv",
    "created": "1,204",
    "updated": "12",
    "unchanged": "0",
    "invalid": "3",
    "subject": "Ben made you the owner of the contact Ann Lee",
    "entries": [{"subject": "Ben mentioned you", "kind": "Mentioned", "when": "Sun 14:05", "url": URL}],
    "total": 1,
    "more": 0,
    "counts": {"tables": 30, "rows": 1204, "files": 2, "table_bytes": 90_000, "file_bytes": 4_000},
}
# Where a mail needs something else by the same name.
OWN_VALUES: dict[str, dict[str, object]] = {"closing_exported": {"rows": 104_312}}
EVERY_MAIL = sorted(
    path.stem for path in (TEMPLATES / "mail").glob("*.jinja") if not path.stem.startswith(("layout", "parts"))
)


def values_for(template: str) -> dict[str, object]:
    """What the template needs: a sample where there is one, else the value's own name."""
    source = (TEMPLATES / "mail" / f"{template}.jinja").read_text()
    needed = meta.find_undeclared_variables(Environment(autoescape=True).parse(source))
    known = VALUES | OWN_VALUES.get(template, {})
    return {name: known.get(name, name) for name in needed - {"layout", "parts", "colour", "sender", "footing"}}


@pytest.mark.parametrize("template", EVERY_MAIL)
def test_text_and_page_say_the_same(template: str) -> None:
    mail = render_mail(template, values_for(template), sender="Acme & Sons", accent="teal")
    assert URL in mail.text
    assert URL in mail.html
    assert ACCENTS["teal"] in mail.html
    assert "You get this email because" in " ".join(mail.text.split())
    assert "You get this email because" in mail.html
    assert not re.search(r"<(img|link|script)\b|url\(", mail.html)


@pytest.mark.parametrize("template", EVERY_MAIL)
def test_lines_of_the_text_are_short_unless_they_are_a_link(template: str) -> None:
    mail = render_mail(template, values_for(template))
    assert all(len(line) <= LINE or line.startswith("https://") for line in mail.text.splitlines())
    assert "\n\n\n" not in mail.text


def test_names_are_text_and_never_markup_or_headers() -> None:
    mail = render_mail("invitation", {**VALUES, "name": "<script>", "organisation": "Acme\r\nBcc: all@example.com"})
    assert "<script>" not in mail.html
    assert "Welcome, <script>" in mail.text
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject


def test_a_value_that_was_forgotten_is_an_error_and_not_a_hole_in_the_mail() -> None:
    with pytest.raises(UndefinedError):
        render_mail("invitation", {"name": "Ann"})


def test_every_part_exists_for_text_and_page() -> None:
    parts = [
        set(re.findall(r"{% macro (\w+)\(", (TEMPLATES / "mail" / f"parts.{kind}.jinja").read_text()))
        for kind in ("html", "txt")
    ]
    assert parts[0] == parts[1]
