"""The forms about the users of a workspace."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email
from wtforms import EmailField, Form, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from qikbiz.identity.outgoing_email import OUTGOING_EMAIL
from qikbiz.kernel.permissions import Role
from qikbiz.web.forms import PERSON_NAME, OwnForm, Text, Texts


def _is_an_address(form: Form, field: EmailField) -> None:
    try:
        field.data = validate_email(field.data or "", check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise StopValidation("Enter a valid email address, such as ann@example.com.") from error


def _is_reachable(form: Form, field: EmailField) -> None:
    reason = OUTGOING_EMAIL.value.unreachable_reason(field.data or "")
    if reason:
        raise StopValidation(reason)


class RolesField(SelectMultipleField):
    """Roles to tick. Which there are, the page says (`choices`): an organisation has some of its own."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class InviteForm(OwnForm):
    email = EmailField(
        "Email", [InputRequired("Enter an email address."), Length(max=320), _is_an_address, _is_reachable]
    )
    name = StringField("Name", PERSON_NAME)
    role = RolesField("Roles", [InputRequired("Choose at least one role.")], default=[Role.MEMBER.value])


class RoleForm(OwnForm):
    role = RolesField("Roles", [InputRequired("Choose at least one role.")])


class TransferForm(OwnForm):
    """Who gets the records; empty for nobody."""

    to = Text("New owner")


class TableForm(OwnForm):
    """Several people to invite: a table, and the numbers of the lines ticked."""

    table = Text("Paste it here")
    lines = Texts()
