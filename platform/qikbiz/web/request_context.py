"""Where the current request goes, and its reference. Decided by `QikBiz.create_url_adapter`, read by everyone else."""

from __future__ import annotations

from flask import request

from tenants.control import new_id
from tenants.directory import Destination

DESTINATION = "qikbiz.destination"


def destination() -> Destination:
    """Where the current request goes."""
    found: Destination = request.environ[DESTINATION]
    return found


def request_id() -> str:
    """A reference for this request: on its log lines, its error page and its audit rows."""
    if "qikbiz.request_id" not in request.environ:
        request.environ["qikbiz.request_id"] = new_id().hex[-12:]
    return str(request.environ["qikbiz.request_id"])
