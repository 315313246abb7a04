"""What this package does for exports: what the organisation and our support wrote to each other is part of them."""

from __future__ import annotations

from qikbiz.transfer.exports.contributions import register_beside
from qikbiz.trust.tickets.export import conversations


def register() -> None:
    register_beside(conversations)
