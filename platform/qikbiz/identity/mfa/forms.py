"""The forms about second factors."""

from __future__ import annotations

from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length, StopValidation

from qikbiz.web.forms import OwnForm


def _can_be_shown(form: OwnForm, field: StringField) -> None:
    field.data = (field.data or "").strip()
    if not field.data:
        raise StopValidation("Enter a name, such as “Work laptop”.")
    if any(not character.isprintable() for character in field.data):
        raise StopValidation("The name contains a character that can't be shown.")


_NAME = [
    InputRequired("Enter a name, such as “Work laptop”."),
    Length(max=60, message="Use at most 60 characters."),
    _can_be_shown,
]


class CodeForm(OwnForm):
    code = StringField(
        "Code", [InputRequired("Enter the code."), Length(max=60, message="This is too long for a code.")]
    )


class MailedCodeForm(CodeForm):
    """The code of an email, for `identity/login/mailed_codes.py`."""


class AppForm(OwnForm):
    setup = HiddenField()
    code = StringField(
        "Code from the app",
        [InputRequired("Enter the six digits from the app."), Length(max=20, message="Enter six digits.")],
    )


class PasskeyForm(OwnForm):
    """What passkeys.js sends: the browser's answer."""

    credential = HiddenField("Passkey", [InputRequired("No passkey responded.")])
    next = HiddenField()


class NewPasskeyForm(OwnForm):
    credential = HiddenField("Passkey", [InputRequired("No passkey was created.")])
    name = StringField("Name", _NAME)


class NameForm(OwnForm):
    name = StringField("Name", _NAME)


class NextPasswordForm(OwnForm):
    password = PasswordField("New password", [InputRequired("Choose a password.")])
