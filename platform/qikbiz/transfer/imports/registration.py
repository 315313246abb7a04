"""What this package adds to the home page."""

from __future__ import annotations

from collections.abc import Mapping

from qikbiz.crm.home.cards import RECENT, Card, register_card
from qikbiz.kernel.permissions import Permission
from qikbiz.transfer.imports.queries import recent_imports
from qikbiz.transfer.imports.wizard import line_of


def register() -> None:
    register_card(Card(10, "imports/home_card.html", Permission.IMPORT_SEE, _latest))


def _latest() -> Mapping[str, object] | None:
    lines = [line_of(one) for one in recent_imports(limit=RECENT)]
    return {"lines": lines} if lines else None
