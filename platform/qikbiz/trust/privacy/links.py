"""Addresses on the public site, which pages of tenants and mails link to as well."""

from __future__ import annotations

from flask import request

from qikbiz.kernel.database import runtime
from qikbiz.web.request_context import DESTINATION, destination


def public_url(path: str) -> str:
    """The whole address of a page of the public site, so that it can be followed from any host and from a mail."""
    settings = runtime().settings
    return settings.origin(settings.base_domain) + path


def statement_url() -> str:
    return _from_here("/privacy")


def changes_url() -> str:
    """The announced version beside the one in force."""
    return _from_here("/privacy/changes")


def _from_here(path: str) -> str:
    is_on_site = request and DESTINATION in request.environ and destination().surface == "site"
    return path if is_on_site else public_url(path)
