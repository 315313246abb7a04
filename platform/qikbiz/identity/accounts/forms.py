"""The forms about logins. Passwords are judged in actions.py, where every path passes."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email
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
from wtforms.validators import InputRequired, Length, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from qikbiz.identity.outgoing_email import OUTGOING_EMAIL
from qikbiz.kernel.permissions import Role
from qikbiz.web.forms import OwnForm, choices, plain_name, zones_of_a_person

_THEMES = [("auto", "Match system"), ("light", "Light"), ("dark", "Dark")]


def _is_an_address(form: Form, field: EmailField) -> None:
    try:
        field.data = validate_email(field.data or "", check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise StopValidation("Enter a valid email address, such as ann@example.com.") from error


def _is_reachable(form: Form, field: EmailField) -> None:
    reason = OUTGOING_EMAIL.value.unreachable_reason(field.data or "")
    if reason:
        raise StopValidation(reason)


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
    theme = RadioField("Appearance", [_needed()], choices=choices(_THEMES))


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
