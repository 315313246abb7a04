"""What this package adds to the home page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qikbiz.crm.home.cards import RECENT, Card, register_card
from qikbiz.kernel.permissions import Permission
from qikbiz.transfer.exports.queries import all_exports


def register() -> None:
    register_card(Card(20, "exports/home_card.html", Permission.EXPORT_FETCH, _latest))


def _latest() -> Mapping[str, Any] | None:
    standings = all_exports(RECENT)
    return {"standings": standings} if standings else None
