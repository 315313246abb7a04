"""What the console's pages send. The actions check the values and say what is wrong with them."""

from __future__ import annotations

from uuid import UUID

from wtforms import IntegerField

from qikbiz.kernel.errors import Failure
from qikbiz.web.forms import OwnForm, ReasonForm, Text
from tenants.control import new_id


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class TenantForm(OwnForm):
    """A new tenant."""

    name = Text("Organisation", filters=[_stripped])
    slug = Text("Address", filters=[_stripped])
    admin_email = Text("Administrator's email", filters=[_stripped])


class SeatsForm(OwnForm):
    """How many users a tenant may have; empty for no limit."""

    seats = Text("At most", filters=[_stripped])


class TypedForm(OwnForm):
    """The tenant's address, typed to confirm."""

    typed = Text()


class DeletionForm(TypedForm, ReasonForm):
    days = IntegerField("Days to download the data")


class RuleForm(ReasonForm):
    """What is decided about an address or a network, and for how long."""

    unit = Text("Address or network")
    action = Text("Action")
    minutes = IntegerField("Duration")


class StatementForm(OwnForm):
    """When a version of the privacy statement takes effect; `sha256` is the text that the page showed."""

    sha256 = Text()
    effective_on = Text("Takes effect on")


class ServiceForm(OwnForm):
    """What support does for a customer: by which grant, and as which act."""

    grant = Text("Under")
    id = Text()

    def chosen_grant(self) -> UUID:
        """Raises Failure when the form names none."""
        if self.grant.uuid is None:
            raise Failure("Choose an access or an instruction.")
        return self.grant.uuid

    def given_id(self) -> UUID:
        """The id that the form carries, so that a double click is one act; a form without one gets a new one."""
        return self.id.uuid or new_id()


class ExportForm(ServiceForm):
    scope = Text("Content", default="everything")
    product = Text("Format", default="portable")


class ImportForm(ServiceForm):
    type = Text("Record type")
    key = Text("Find existing records by")
    mode = Text("Mode")


class InstructionForm(OwnForm):
    """What a customer asked for in writing."""

    instruction = Text("Instruction")
    scope = Text("For")


class AnswerForm(OwnForm):
    """A reply to a ticket or a note about it; `act` is the button."""

    body = Text("Reply")
    act = Text(default="answer")


class StateForm(OwnForm):
    state = Text("State")


class AssignmentForm(OwnForm):
    """Who of the staff handles a ticket; empty for nobody."""

    staff = Text("Assignee")
