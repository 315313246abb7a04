"""The features of the product: what each registers with those that it builds upon, in this order."""

from __future__ import annotations

from functools import cache

from qikbiz.crm.companies import feature as companies
from qikbiz.crm.contacts import feature as contacts
from qikbiz.transfer.imports import parallel_convert


@cache
def install() -> None:
    """Let every feature register. Every process does so once, at its start: web, workers, command line and tests."""
    for feature in (contacts, companies):
        feature.register()
    parallel_convert.register_program("qikbiz.app.import_process")
