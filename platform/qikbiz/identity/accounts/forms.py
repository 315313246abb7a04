"""The forms about logins. Passwords are judged in actions.py, where every path passes."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from flask import request
from wtforms import (
    BooleanField,
    EmailField,
    Form,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from qikbiz.identity.outgoing_email import OUTGOING_EMAIL
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Role
from qikbiz.web.csrf import FIELD
from tenants.context import tenant_or_none

_THEMES = [("auto", "Match system"), ("light", "Light"), ("dark", "Dark")]


class UnexpectedField(Failure):
    """The request sets something that this form doesn't have."""

    key = "bad_request"


@cache
def zones() -> list[SelectChoice]:
    known = {zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right"))}
    return _choices([("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in sorted(known))])


def zones_of_a_person() -> list[SelectChoice]:
    """Every zone, and first none of one's own: a form without it would choose one on the side."""
    tenant = tenant_or_none()
    return [*_choices([("", f"Same as the workspace ({tenant.time_zone})")] if tenant else []), *zones()]


def _choices(pairs: list[tuple[str, str]]) -> list[SelectChoice]:
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


def _is_an_address(form: Form, field: EmailField) -> None:
    try:
        field.data = validate_email(field.data or "", check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise StopValidation("Enter a valid email address, such as ann@example.com.") from error


def _is_reachable(form: Form, field: EmailField) -> None:
    reason = OUTGOING_EMAIL.value.unreachable_reason(field.data or "")
    if reason:
        raise StopValidation(reason)


def plain_name(form: Form, field: StringField) -> None:
    field.data = (field.data or "").strip()
    if not field.data:
        raise StopValidation("Enter a name.")
    if any(not character.isprintable() for character in field.data):
        raise StopValidation("The name contains a character that can't be shown.")


_needed = InputRequired
_NAME = [_needed("Enter a name."), Length(max=200, message="Use at most 200 characters."), plain_name]


class LoginForm(OwnForm):
    email = EmailField("Email", [_needed("Enter your email address."), Length(max=320)])
    password = PasswordField("Password", [_needed("Enter your password.")])
    remember = BooleanField("Stay signed in on this device")
    next = HiddenField()


class ForgotForm(OwnForm):
    email = EmailField("Email", [_needed("Enter your email address."), Length(max=320)])


class NewPasswordForm(OwnForm):
    password = PasswordField("New password", [_needed("Choose a password.")])


class InvitationForm(OwnForm):
    name = StringField("Your name", _NAME)
    password = PasswordField("Password", [_needed("Choose a password.")])


class ConfirmForm(OwnForm):
    password = PasswordField("Password", [_needed("Enter your password.")])
    code = StringField("Code", [Length(max=60, message="This is too long for a code.")])
    next = HiddenField()


class ProfileForm(OwnForm):
    name = StringField("Name", _NAME)
    time_zone = SelectField("Time zone", choices=zones_of_a_person)
    theme = RadioField("Appearance", [_needed()], choices=_choices(_THEMES))


class ChangePasswordForm(OwnForm):
    old_password = PasswordField("Current password", [_needed("Enter your current password.")])
    password = PasswordField("New password", [_needed("Choose a password.")])


class RolesField(SelectMultipleField):
    """Roles to tick. Which there are, the page says (`choices`): an organisation has some of its own."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class InviteForm(OwnForm):
    email = EmailField("Email", [_needed("Enter an email address."), Length(max=320), _is_an_address, _is_reachable])
    name = StringField("Name", _NAME)
    role = RolesField("Roles", [_needed("Choose at least one role.")], default=[Role.MEMBER.value])


class RoleForm(OwnForm):
    role = RolesField("Roles", [_needed("Choose at least one role.")])
