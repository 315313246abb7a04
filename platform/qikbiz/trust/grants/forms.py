"""The form by which access is given."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from wtforms import BooleanField, DateTimeLocalField, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from qikbiz.trust.grants.actions import LONGEST_REASON
from qikbiz.trust.grants.queries import staff_to_choose
from qikbiz.trust.grants.scopes import LABELS, OFFERED, GrantScope
from qikbiz.trust.tickets.models import Ticket
from qikbiz.web.forms import OwnForm, SelectChoice, Text

SUPPORT = "support"


class GrantForm(OwnForm):
    """Who, what, why and until when."""

    audience = SelectField("Grant access to", choices=[], validators=[InputRequired()])
    scopes = SelectMultipleField(
        "Purpose",
        choices=[SelectChoice(scope.value, f"{LABELS[scope][0]}: {LABELS[scope][1]}") for scope in OFFERED],
        default=[GrantScope.SEE.value],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validators=[InputRequired("Choose at least one purpose.")],
    )
    reason = TextAreaField(
        "Reason",
        validators=[
            DataRequired("Enter a reason. It is recorded in your audit."),
            Length(max=LONGEST_REASON, message=f"At most {LONGEST_REASON} characters."),
        ],
    )
    about = SelectField("Related request", choices=[], default="")
    ends_at = DateTimeLocalField(
        "Expires", format="%Y-%m-%dT%H:%M", validators=[InputRequired("Enter a date and time.")]
    )

    @classmethod
    def offered(cls, tickets: Sequence[Ticket]) -> GrantForm:
        """With the people and the tickets that one can choose now."""
        form = cls()
        asked = [SelectChoice(ticket.reference, f"{ticket.reference}: {ticket.subject}") for ticket in tickets]
        form.about.choices = [SelectChoice("", "None"), *asked]
        form.audience.choices = [
            SelectChoice(SUPPORT, "QikBiz support team"),
            *(SelectChoice(str(staff_id), text) for staff_id, text in staff_to_choose()),
        ]
        return form

    @property
    def staff_ids(self) -> list[UUID]:
        """Nobody by name when support as a whole is meant."""
        return [] if self.audience.data == SUPPORT else [UUID(self.audience.data)]


class PolicyForm(OwnForm):
    """Whether staff may confirm what a ticket asks for, and how long it waits then."""

    staff_may_confirm = BooleanField()
    wait_hours = Text("Waiting time before we start")
