"""Every colour pair that the design uses is readable (WCAG 2.2, 1.4.3 and 1.4.11), in both themes."""

from __future__ import annotations

import re
from itertools import product as every_pair

import pytest

from provisioning.assets import SOURCES
from qikbiz.kernel.accents import ACCENTS

TEXT, EDGE = 4.5, 3.0
Colour = tuple[float, float, float]
BACKGROUNDS = ("bg", "surface", "raised", "sunken", "hover")
WORDS = ("text", "text-2", "text-3", "good", "warn", "bad", "info", *(f"hue-{number}" for number in range(1, 9)))


def declared(file: str, selector: str) -> dict[str, tuple[str, str]]:
    """Name → (light, dark) of the custom properties declared in a rule."""
    sheet = (SOURCES / "css" / file).read_text()
    rule = re.search(re.escape(selector) + r"\s*{(.*?)}", sheet, re.S)
    assert rule, f"{file} has no rule {selector}"
    pairs = re.findall(r"--([\w-]+):\s*(?:light-dark\((#\w{6}),\s*(#\w{6})\)|(#\w{6}))\s*;", rule[1])
    return {name: (light or only, dark or only) for name, light, dark, only in pairs}


TOKENS = declared("tokens.css", ":root")


def rgb(colour: str) -> Colour:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def mixed(colour: Colour, share: float, other: Colour) -> Colour:
    """CSS color-mix in srgb."""
    red, green, blue = (one * share + two * (1 - share) for one, two in zip(colour, other, strict=True))
    return red, green, blue


def contrast(one: Colour, two: Colour) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("word", "background", "theme"), list(every_pair(WORDS, BACKGROUNDS, (0, 1))))
def test_words_are_readable_on_every_background(word: str, background: str, theme: int) -> None:
    assert contrast(rgb(TOKENS[word][theme]), rgb(TOKENS[background][theme])) >= TEXT


@pytest.mark.parametrize(("tone", "theme"), list(every_pair(("good", "warn", "bad", "info"), (0, 1))))
def test_notices_are_readable(tone: str, theme: int) -> None:
    soft = rgb(TOKENS[f"{tone}-soft"][theme])
    assert contrast(rgb(TOKENS[tone][theme]), soft) >= TEXT
    assert contrast(rgb(TOKENS["text"][theme]), soft) >= TEXT


@pytest.mark.parametrize(("number", "theme"), list(every_pair(range(1, 9), (0, 1))))
def test_tags_and_initials_are_readable_on_their_tint(number: int, theme: int) -> None:
    hue, surface = rgb(TOKENS[f"hue-{number}"][theme]), rgb(TOKENS["surface"][theme])
    for share in (0.11, 0.15):
        assert contrast(hue, mixed(hue, share, surface)) >= TEXT


@pytest.mark.parametrize("theme", (0, 1))
def test_edges_of_fields_can_be_seen(theme: int) -> None:
    for background in ("surface", "raised", "sunken"):
        assert contrast(rgb(TOKENS["border-strong"][theme]), rgb(TOKENS[background][theme])) >= EDGE


@pytest.mark.parametrize("theme", (0, 1))
def test_the_dangerous_button_is_readable(theme: int) -> None:
    assert contrast((1, 1, 1), rgb(TOKENS["bad-solid"][theme])) >= TEXT


@pytest.mark.parametrize(("name", "theme"), list(every_pair(ACCENTS, (0, 1))))
def test_every_accent_is_readable(name: str, theme: int) -> None:
    accent = declared("accents.css", f".accent-{name}")
    solid, words = rgb(accent["accent"][theme]), rgb(accent["accent-text"][theme])
    # The body's --accent-soft in tokens.css.
    soft = mixed(solid, (0.09, 0.24)[theme], rgb(("#ffffff", "#151619")[theme]))
    assert contrast((1, 1, 1), solid) >= TEXT
    assert all(contrast(words, rgb(TOKENS[background][theme])) >= TEXT for background in BACKGROUNDS)
    assert contrast(words, soft) >= TEXT


def test_mails_use_the_same_accents_as_pages() -> None:
    assert {name: declared("accents.css", f".accent-{name}")["accent"][0] for name in ACCENTS} == ACCENTS
    assert set(re.findall(r"\.accent-(\w+)", (SOURCES / "css" / "accents.css").read_text())) == set(ACCENTS)
