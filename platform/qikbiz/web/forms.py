"""The form that every page's form with fixed fields is made from, and what several of them ask for.

Why, and which few modules read a request's fields themselves: `docs/decisions/0024-forms.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Self
from uuid import UUID
from zoneinfo import available_timezones

from flask import request
from wtforms import Form, SelectMultipleField, StringField
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

    def __init__(self, *, is_empty: bool = False, **given: Any) -> None:
        """`is_empty`: for a page that answers another form, whose body is then not read."""
        super().__init__(request.form if request.method == "POST" and not is_empty else None, **given)

    @classmethod
    def sent(cls) -> Self:
        """As the request sent it, for an action that checks the values itself. Raises UnexpectedField."""
        form = cls()
        form.refuse_unknown_fields()
        return form

    @property
    def texts(self) -> dict[str, str]:
        """What was typed, by field; "" where nothing was."""
        return {name: typed or "" for name, typed in self.data.items()}

    def refuse_unknown_fields(self) -> None:
        unknown = sorted(set(request.form) - set(self._fields) - {FIELD})
        if unknown:
            raise UnexpectedField(f"The form has no field named “{unknown[0][:60]}”.")

    def validate_on_submit(self) -> bool:
        if request.method != "POST":
            return False
        self.refuse_unknown_fields()
        return bool(self.validate())


class Text(StringField):
    """One line or several, as typed."""

    @property
    def text(self) -> str:
        """ "" where the form didn't send it."""
        return self.data or ""

    @property
    def uuid(self) -> UUID | None:
        """None for a text that is no id."""
        try:
            return UUID(self.text)
        except ValueError:
            return None


class Texts(SelectMultipleField):
    """All values sent under one name, unchecked: the lines ticked in a list that the action knows."""

    def __init__(self, label: str | None = None, **given: Any) -> None:
        super().__init__(label, validate_choice=False, choices=[], **given)

    @property
    def texts(self) -> list[str]:
        return self.data or []


class ReasonForm(OwnForm):
    """Why the user does what the button says."""

    reason = Text("Reason")


def checked_by(check: Callable[[str], object]) -> Callable[[Form, StringField], None]:
    """A validator from a rule that the action has too: a function which raises Failure with what is wrong."""

    def validate(_form: Form, field: StringField) -> None:
        try:
            check(field.data or "")
        except Failure as failure:
            raise StopValidation(failure.text) from failure

    return validate


def plain_name(form: Form, field: StringField) -> None:
    field.data = (field.data or "").strip()
    if not field.data:
        raise StopValidation("Enter a name.")
    if any(not character.isprintable() for character in field.data):
        raise StopValidation("The name contains a character that can't be shown.")


PERSON_NAME = [InputRequired("Enter a name."), Length(max=200, message="Use at most 200 characters."), plain_name]
