"""The form of the provider. Whether its servers answer is found out when it is sent."""

from __future__ import annotations

from wtforms import EmailField, Form, PasswordField, StringField
from wtforms.validators import InputRequired, Length, StopValidation

from qikbiz.identity.sso.provider_client import check_address
from qikbiz.kernel.http_client import BadAddress
from qikbiz.web.forms import OwnForm, plain_name


def _is_an_issuer(form: Form, field: StringField) -> None:
    field.data = (field.data or "").strip()
    try:
        parts = check_address(field.data)
    except BadAddress as bad:
        raise StopValidation(f"{bad.args[0]} It looks like https://login.your-company.com.") from bad
    if parts.query:
        raise StopValidation("Enter the issuer without a query string.")


def _is_plain(form: Form, field: StringField) -> None:
    field.data = (field.data or "").strip()
    if not field.data.isascii() or not field.data.isprintable():
        raise StopValidation("This contains a character that is not allowed here.")


class ProviderForm(OwnForm):
    issuer = StringField("Issuer", [InputRequired("Enter the issuer."), Length(max=500), _is_an_issuer])
    client_id = StringField("Client ID", [InputRequired("Enter the client ID."), Length(max=300), _is_plain])
    client_secret = PasswordField("Client secret", [Length(max=1_000), _is_plain])
    label = StringField("Display name", [InputRequired("Enter a name."), Length(max=40), plain_name])


class PersonForm(OwnForm):
    email = EmailField("Email", [InputRequired("Enter an email address."), Length(max=320)])
