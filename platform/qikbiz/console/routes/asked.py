"""What the forms of support's work send: by which grant, and as which act."""

from __future__ import annotations

from uuid import UUID

from flask import request

from qikbiz.kernel.errors import Failure
from tenants.control import new_id


def chosen_grant() -> UUID:
    """Raises Failure when the form names none."""
    try:
        return UUID(request.form.get("grant", ""))
    except ValueError:
        raise Failure("Choose an access or an instruction.") from None


def given_id() -> UUID:
    """The id that the form carries, so that a double click is one act; a form without one gets a new one."""
    try:
        return UUID(request.form.get("id", ""))
    except ValueError:
        return new_id()
