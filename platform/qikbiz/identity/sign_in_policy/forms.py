"""The form of the policy. What is allowed is checked by the policy itself."""

from __future__ import annotations

from wtforms import (
    BooleanField,
    EmailField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

from qikbiz.identity.accounts.forms import OwnForm
from qikbiz.identity.sign_in_policy.rules import ABSOLUTE_HOURS, CHARACTERS, IDLE_MINUTES, REMEMBER_DAYS, Policy

_LONGEST_LIST = 4_000


def _between(bounds: tuple[int, int]) -> list[object]:
    low, high = sorted(bounds)
    message = f"Give a whole number from {low} to {high}."
    return [InputRequired(message), NumberRange(low, high, message=message)]


class PolicyForm(OwnForm):
    sign_in = RadioField(
        "How people may log in",
        choices=[
            SelectChoice("any", "With a password or a passkey, and by single sign-on where it is on"),
            SelectChoice("sso", "By single sign-on only"),
        ],
    )
    least_characters = IntegerField("Characters of a password, at least", _between(CHARACTERS))
    asks_range_service = BooleanField("Look passwords up in the published lists of leaked ones")
    factor_for = RadioField(
        "Who needs a second factor",
        [InputRequired("Choose who needs one.")],
        choices=[
            SelectChoice("nobody", "Everybody decides for themselves"),
            SelectChoice("roles", "People with these roles"),
            SelectChoice("everyone", "Everybody"),
        ],
    )
    factor_roles = SelectMultipleField(
        "Roles that need a second factor", option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False)
    )
    idle_minutes = IntegerField("Minutes without use until a login ends", _between(IDLE_MINUTES))
    absolute_hours = IntegerField("Hours until a login ends in any case", _between(ABSOLUTE_HOURS))
    remember_days = IntegerField("Days that a device may stay logged in without use", _between(REMEMBER_DAYS))
    networks = TextAreaField("Networks that may log in", [Length(max=_LONGEST_LIST, message="This list is too long.")])

    def wanted(self, networks: tuple[str, ...]) -> Policy:
        return Policy(
            least_characters=self.least_characters.data or 0,
            asks_range_service=bool(self.asks_range_service.data),
            factor_for=self.factor_for.data,
            factor_roles=tuple(self.factor_roles.data or ()) if self.factor_for.data == "roles" else (),
            idle_minutes=self.idle_minutes.data or 0,
            absolute_hours=self.absolute_hours.data or 0,
            remember_days=self.remember_days.data or 0,
            networks=networks,
            sso_only=self.sign_in.data == "sso",
        )


class BreakGlassForm(OwnForm):
    email = EmailField("E-mail", [InputRequired("Give your e-mail address."), Length(max=320)])
    password = PasswordField("Password", [InputRequired("Give your password.")])
    code = StringField("Break-glass code", [InputRequired("Give the code."), Length(max=60, message="Too long.")])
