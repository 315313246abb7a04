"""Reading a version of the statement: Markdown with a head that says which version it is and when it may take effect.

    ---
    version: 2
    material: true
    announced_on: 2027-01-04
    effective_on: 2027-02-17
    ---

    # Title

    A paragraph before the promises.

    ## A heading

    **P1.** A promise.

The text is plain: no links, no emphasis but the numbers, no HTML. Whatever is not of this form is refused.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

NUMBERS = tuple(f"P{number}" for number in range(1, 21))
BlockKind = Literal["title", "heading", "paragraph", "promise"]
_PROMISE = re.compile(r"\*\*(P\d{1,2})\.\*\* (.+)")
_FORBIDDEN = re.compile(r"[<>*_`\[\]\\]")
_FACTS = frozenset({"version", "material", "announced_on", "effective_on"})


class StatementRefused(Exception):
    """The text is not a statement that may be shown; the exception says why, for its author."""


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph or heading. `number` is P1 to P20 for a promise, else ""."""

    kind: BlockKind
    text: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    heading: str
    promises: tuple[Block, ...]


@dataclass(frozen=True)
class StatementText:
    """The words of one version. `source` is what is hashed, stored and offered for download.

    `blocks` are what a reader sees, character by character; how the file breaks its lines is no part of them.
    """

    source: str
    blocks: tuple[Block, ...]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.source.encode()).hexdigest()

    @property
    def title(self) -> str:
        return self.blocks[0].text

    @property
    def lead(self) -> tuple[str, ...]:
        return tuple(block.text for block in self.blocks if block.kind == "paragraph")

    @property
    def promises(self) -> dict[str, str]:
        return {block.number: block.text for block in self.blocks if block.number}

    @property
    def sections(self) -> tuple[Section, ...]:
        found: list[tuple[str, list[Block]]] = []
        for block in self.blocks:
            if block.kind == "heading":
                found.append((block.text, []))
            elif block.kind == "promise":
                found[-1][1].append(block)
        return tuple(Section(heading, tuple(promises)) for heading, promises in found)


@dataclass(frozen=True)
class StatementFile:
    """A version as its file declares it. The dates are a plan: what counts is what the database wrote down."""

    version: int
    material: bool
    announced_on: date
    effective_on: date
    text: StatementText


def read_file(content: str) -> StatementFile:
    """Raises StatementRefused."""
    head, separator, body = content.removeprefix("---\n").partition("\n---\n")
    if not content.startswith("---\n") or not separator:
        raise StatementRefused("It does not begin with a head between two lines of three hyphens.")
    facts = dict(_fact(line) for line in head.splitlines())
    if set(facts) != _FACTS:
        raise StatementRefused(f"Its head must give {', '.join(sorted(_FACTS))}, each once and nothing else.")
    return StatementFile(
        version=_version(facts["version"]),
        material=_yes_or_no(facts["material"]),
        announced_on=_day(facts["announced_on"]),
        effective_on=_day(facts["effective_on"]),
        text=read_text(body),
    )


def read_text(body: str) -> StatementText:
    """The words without the head. Raises StatementRefused."""
    source = body.strip() + "\n"
    blocks = tuple(_block(" ".join(part.split())) for part in re.split(r"\n{2,}", source) if part.strip())
    kinds = [block.kind for block in blocks]
    if not kinds or kinds[0] != "title" or kinds.count("title") != 1:
        raise StatementRefused("It must begin with one title, and have no second one.")
    numbers = tuple(block.number for block in blocks if block.number)
    if numbers != NUMBERS:
        raise StatementRefused("It must make the twenty promises P1 to P20, each once and in this order.")
    if kinds.index("promise") < kinds.index("heading") if "heading" in kinds else True:
        raise StatementRefused("A heading must stand before the first promise.")
    return StatementText(source, blocks)


def _block(text: str) -> Block:
    promise = _PROMISE.fullmatch(text)
    if promise:
        block = Block("promise", promise[2], promise[1])
    elif text.startswith("## "):
        block = Block("heading", text.removeprefix("## "))
    elif text.startswith("# "):
        block = Block("title", text.removeprefix("# "))
    else:
        block = Block("paragraph", text)
    if _FORBIDDEN.search(block.text) or block.text.startswith("#"):
        raise StatementRefused(f"Write plain words only; this has marks in it: {block.text[:60]}")
    return block


def _fact(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _version(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,4}", text):
        raise StatementRefused("Its version must be a number, counted from 1.")
    return int(text)


def _yes_or_no(text: str) -> bool:
    if text not in ("true", "false"):
        raise StatementRefused("“material” must be true or false.")
    return text == "true"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise StatementRefused(f"{text!r} is no day; write it as 2027-01-04.") from error
