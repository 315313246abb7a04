"""The forms of the user's own pages."""

from __future__ import annotations

from wtforms import PasswordField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired

from qikbiz.web.forms import PERSON_NAME, OwnForm, choices, zones_of_a_person

_THEMES = [("auto", "Match system"), ("light", "Light"), ("dark", "Dark")]


class ProfileForm(OwnForm):
    name = StringField("Name", PERSON_NAME)
    time_zone = SelectField("Time zone", choices=zones_of_a_person)
    theme = RadioField("Appearance", [InputRequired()], choices=choices(_THEMES))


class ChangePasswordForm(OwnForm):
    old_password = PasswordField("Current password", [InputRequired("Enter your current password.")])
    password = PasswordField("New password", [InputRequired("Choose a password.")])
