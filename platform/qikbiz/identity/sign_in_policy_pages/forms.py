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
from wtforms.validators import InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

from qikbiz.identity.sign_in_policy.rules import ABSOLUTE_HOURS, CHARACTERS, IDLE_MINUTES, REMEMBER_DAYS, Policy
from qikbiz.web.forms import OwnForm, SelectChoice

_LONGEST_LIST = 4_000


def _between(bounds: tuple[int, int]) -> list[object]:
    low, high = sorted(bounds)
    message = f"Enter a whole number from {low} to {high}."
    return [InputRequired(message), NumberRange(low, high, message=message)]


class PolicyForm(OwnForm):
    sign_in = RadioField(
        "Allowed methods",
        choices=[
            SelectChoice("any", "Password, passkey or single sign-on"),
            SelectChoice("sso", "Single sign-on only"),
        ],
    )
    least_characters = IntegerField("Minimum password length", _between(CHARACTERS))
    asks_range_service = BooleanField("Check passwords against published lists of leaked passwords")
    factor_for = RadioField(
        "Required for",
        [InputRequired("Choose who needs a second factor.")],
        choices=[
            SelectChoice("nobody", "Optional for everyone"),
            SelectChoice("roles", "Users with these roles"),
            SelectChoice("everyone", "Everyone"),
        ],
    )
    factor_roles = SelectMultipleField(
        "Roles that need a second factor", option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False)
    )
    idle_minutes = IntegerField("Idle timeout in minutes", _between(IDLE_MINUTES))
    absolute_hours = IntegerField("Maximum session length in hours", _between(ABSOLUTE_HOURS))
    remember_days = IntegerField("Days a device stays signed in without use", _between(REMEMBER_DAYS))
    networks = TextAreaField("Allowed networks", [Length(max=_LONGEST_LIST, message="This list is too long.")])

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
    email = EmailField("Email", [InputRequired("Enter your email address."), Length(max=320)])
    password = PasswordField("Password", [InputRequired("Enter your password.")])
    code = StringField("Emergency code", [InputRequired("Enter the code."), Length(max=60, message="Too long.")])
