"""The clock that tests move, and looks behind the pages: those of the accounts."""

from __future__ import annotations

from tests.accounts.conftest import clock, rows_of

__all__ = ["clock", "rows_of"]
