"""What higher packages add to imports. Each registers it when the features are installed."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from qikbiz.kernel.registration import Registration
from qikbiz.transfer.imports.sql import Link

# How many staged rows of an import name a person who was erased at their own request.
ROWS_OF_ERASED: Registration[Callable[[Link, UUID], int]] = Registration("which rows of a file name erased people")
