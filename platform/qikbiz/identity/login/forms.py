"""The forms of the sign-in pages. Passwords are judged by `passwords.acceptance`, where every path passes."""

from __future__ import annotations

from wtforms import BooleanField, EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from qikbiz.web.forms import PERSON_NAME, OwnForm, Text


class LoginForm(OwnForm):
    email = EmailField("Email", [InputRequired("Enter your email address."), Length(max=320)])
    password = PasswordField("Password", [InputRequired("Enter your password.")])
    remember = BooleanField("Stay signed in on this device")
    next = HiddenField()


class ForgotForm(OwnForm):
    email = EmailField("Email", [InputRequired("Enter your email address."), Length(max=320)])


class NewPasswordForm(OwnForm):
    password = PasswordField("New password", [InputRequired("Choose a password.")])


class InvitationForm(OwnForm):
    name = StringField("Your name", PERSON_NAME)
    password = PasswordField("Password", [InputRequired("Choose a password.")])


class ConfirmForm(OwnForm):
    password = PasswordField("Password", [InputRequired("Enter your password.")])
    code = StringField("Code", [Length(max=60, message="This is too long for a code.")])
    next = HiddenField()


class StrengthForm(OwnForm):
    """A password that is being typed, with what it may not be made from."""

    password = Text()
    name = Text()
    email = Text()
