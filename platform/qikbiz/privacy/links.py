"""Addresses on the public site, which pages of tenants and mails link to as well."""

from __future__ import annotations

from qikbiz.database import runtime


def public_url(path: str) -> str:
    """The address of a page of the public site, whole, so that it can be followed from any host."""
    settings = runtime().settings
    return settings.origin(settings.base_domain) + path


def statement_url() -> str:
    return public_url("/privacy")


def changes_url() -> str:
    """The announced version beside the one in force."""
    return public_url("/privacy/changes")
