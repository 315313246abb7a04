"""The form of the general settings."""

from __future__ import annotations

from functools import cache

from wtforms import RadioField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from qikbiz.crm.schema.normalize import countries
from qikbiz.crm.schema.number_parsing import currencies
from qikbiz.crm.workspace.weeks import WEEK_STARTS
from qikbiz.kernel.accents import ACCENTS
from qikbiz.web.forms import OwnForm, SelectChoice, zones

LONGEST_NAME = 100


@cache
def country_choices() -> list[SelectChoice]:
    return [SelectChoice("", "None"), *(SelectChoice(code, name) for code, name in countries().items())]


@cache
def currency_choices() -> list[SelectChoice]:
    return [SelectChoice("", "None"), *(SelectChoice(code, code) for code in sorted(currencies()))]


WEEK_START_CHOICES = [
    SelectChoice("", "Country default"),
    *(SelectChoice(day, day.capitalize()) for day in WEEK_STARTS),
]


class GeneralForm(OwnForm):
    name = StringField(
        "Name",
        [DataRequired("Enter a name."), Length(max=LONGEST_NAME, message=f"At most {LONGEST_NAME} characters.")],
        filters=[lambda text: " ".join(text.split()) if text else text],
    )
    accent = RadioField("Colour", choices=[SelectChoice(name, name.capitalize()) for name in ACCENTS])
    time_zone = SelectField("Time zone", choices=zones)
    country = SelectField("Country for phone numbers", choices=country_choices)
    currency = SelectField("Currency", choices=currency_choices)
    week_start = SelectField("First day of the week", choices=WEEK_START_CHOICES)


class LogoForm(OwnForm):
    """The picture comes as a file beside the fields."""
