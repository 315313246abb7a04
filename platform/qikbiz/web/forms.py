"""The form that every page's form is made from, and what several of them ask for."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from flask import request
from wtforms import Form, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, StopValidation

from qikbiz.kernel.errors import Failure
from qikbiz.web.csrf import FIELD
from tenants.context import tenant_or_none

# The other packages take `SelectChoice` from here, which the stubs of WTForms do not know yet.
__all__ = [
    "PERSON_NAME",
    "OwnForm",
    "SelectChoice",
    "UnexpectedField",
    "choices",
    "plain_name",
    "zones",
    "zones_of_a_person",
]


class UnexpectedField(Failure):
    """The request sets something that this form doesn't have."""

    key = "bad_request"


@cache
def zones() -> list[SelectChoice]:
    known = {zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right"))}
    return choices([("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in sorted(known))])


def zones_of_a_person() -> list[SelectChoice]:
    """Every zone, and first none of one's own: a form without it would choose one on the side."""
    tenant = tenant_or_none()
    return [*choices([("", f"Same as the workspace ({tenant.time_zone})")] if tenant else []), *zones()]


def choices(pairs: list[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in pairs]


class OwnForm(Form):
    """A form that refuses fields it does not have: nobody sets a role or a tenant on the side."""

    def __init__(self, **given: Any) -> None:
        super().__init__(request.form if request.method == "POST" else None, **given)

    def refuse_unknown_fields(self) -> None:
        unknown = sorted(set(request.form) - set(self._fields) - {FIELD})
        if unknown:
            raise UnexpectedField(f"The form has no field named “{unknown[0][:60]}”.")

    def validate_on_submit(self) -> bool:
        if request.method != "POST":
            return False
        self.refuse_unknown_fields()
        return bool(self.validate())


def plain_name(form: Form, field: StringField) -> None:
    field.data = (field.data or "").strip()
    if not field.data:
        raise StopValidation("Enter a name.")
    if any(not character.isprintable() for character in field.data):
        raise StopValidation("The name contains a character that can't be shown.")


PERSON_NAME = [InputRequired("Enter a name."), Length(max=200, message="Use at most 200 characters."), plain_name]
