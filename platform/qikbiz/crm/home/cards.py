"""Blocks that features add to the home page. Each registers its own when the features are installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask_login import current_user

from qikbiz.kernel.permissions import AnyPermission

# How many of the latest things a block shows.
RECENT = 6


@dataclass(frozen=True, slots=True)
class Card:
    """A block for users who have `permission`. `values` are those of its template, which calls them `card`; None
    leaves the block out. Blocks stand in the order of `position`.
    """

    position: int
    template: str
    permission: AnyPermission
    values: Callable[[], Mapping[str, object] | None]


_cards: list[Card] = []


def register_card(card: Card) -> None:
    """Raises RuntimeError for a position that is taken."""
    if card.position in (other.position for other in _cards):
        raise RuntimeError(f"Two cards of the home page want position {card.position}.")
    _cards.append(card)


def shown_cards() -> list[tuple[str, Mapping[str, object]]]:
    """The templates of the blocks that this user sees, each with its values."""
    mine = [card for card in sorted(_cards, key=lambda card: card.position) if current_user.can(card.permission)]
    shown = [(card.template, card.values()) for card in mine]
    return [(template, values) for template, values in shown if values is not None]
