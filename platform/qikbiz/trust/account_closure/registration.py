"""What this package does for exports and restores: a closing's export is made, an erased account stays erased."""

from __future__ import annotations

from qikbiz.transfer.exports.contributions import ERASED_AT, register_after_making, register_approval
from qikbiz.trust.account_closure.queries import erased_at, is_export_of_closing
from qikbiz.trust.account_closure.state_machine import settle_closing_of


def register() -> None:
    ERASED_AT.register(erased_at)
    register_approval(is_export_of_closing)
    register_after_making(settle_closing_of)
