"""What changes from one version of the statement to the next, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from qikbiz.trust.privacy.text import Block, StatementText

Kind = Literal["same", "added", "removed"]
_WORDS = re.compile(r"\S+\s*")


@dataclass(frozen=True, slots=True)
class Piece:
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """The same promise, heading or paragraph in both versions; one of them may be missing."""

    before: Block | None
    after: Block | None
    pieces: tuple[Piece, ...]

    @property
    def block(self) -> Block:
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def is_changed(self) -> bool:
        return any(piece.kind != "same" for piece in self.pieces)

    @property
    def old(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.kind != "added"]

    @property
    def new(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.kind != "removed"]


def differences(before: StatementText, after: StatementText) -> list[Pair]:
    """Every block of both, in reading order. Promises are paired by number, everything else by its likeness."""
    old, new = before.blocks, after.blocks
    matcher = SequenceMatcher(None, [_likeness(block) for block in old], [_likeness(block) for block in new], False)
    pairs: list[Pair] = []
    for tag, from_old, to_old, from_new, to_new in matcher.get_opcodes():
        if tag == "equal":
            pairs += [_pair(a, b) for a, b in zip(old[from_old:to_old], new[from_new:to_new], strict=True)]
        else:
            pairs += _replaced(old[from_old:to_old], new[from_new:to_new])
    return pairs


def _likeness(block: Block) -> str:
    return block.number or f"{block.kind} {block.text}"


def _replaced(old: tuple[Block, ...], new: tuple[Block, ...]) -> Iterator[Pair]:
    """Blocks that have no twin: paired in turn while they are of one kind, else removed and added."""
    waiting = list(old)
    for block in new:
        twin = next((one for one in waiting if one.kind == block.kind), None)
        if twin is not None:
            while waiting[0] is not twin:
                yield _pair(waiting.pop(0), None)
            waiting.pop(0)
        yield _pair(twin, block)
    for block in waiting:
        yield _pair(block, None)


def _pair(before: Block | None, after: Block | None) -> Pair:
    old = _WORDS.findall(before.text) if before else []
    new = _WORDS.findall(after.text) if after else []
    # The last word of a sentence has no space behind it, and is the same word nevertheless.
    matcher = SequenceMatcher(None, [word.strip() for word in old], [word.strip() for word in new], False)
    pieces: list[Piece] = []
    for tag, from_old, to_old, from_new, to_new in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(new[from_new:to_new])))
            continue
        if from_old < to_old:
            pieces.append(Piece("removed", "".join(old[from_old:to_old])))
        if from_new < to_new:
            pieces.append(Piece("added", "".join(new[from_new:to_new])))
    return Pair(before, after, tuple(pieces))
