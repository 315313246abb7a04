"""The form by which access is given."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from wtforms import DateTimeLocalField, SelectField, SelectMultipleField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import DataRequired, InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from qikbiz.identity.accounts.forms import OwnForm
from qikbiz.trust.grants.actions import LONGEST_REASON
from qikbiz.trust.grants.queries import staff_to_choose
from qikbiz.trust.grants.scopes import LABELS, OFFERED, GrantScope
from qikbiz.trust.tickets.models import Ticket

SUPPORT = "support"


class GrantForm(OwnForm):
    """Who, what, why and until when."""

    audience = SelectField("Who may come in?", choices=[], validators=[InputRequired()])
    scopes = SelectMultipleField(
        "What may they do?",
        choices=[SelectChoice(scope.value, f"{LABELS[scope][0]}: {LABELS[scope][1]}") for scope in OFFERED],
        default=[GrantScope.SEE.value],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validators=[InputRequired("Choose at least one thing that may be done.")],
    )
    reason = TextAreaField(
        "Why?",
        validators=[
            DataRequired("Write down the reason: it stands in your audit beside everything that is done."),
            Length(max=LONGEST_REASON, message=f"{LONGEST_REASON} characters are enough."),
        ],
    )
    about = SelectField("Is it about a question that you asked us?", choices=[], default="")
    ends_at = DateTimeLocalField(
        "Until when?", format="%Y-%m-%dT%H:%M", validators=[InputRequired("Say until when, such as tomorrow at noon.")]
    )

    @classmethod
    def offered(cls, tickets: Sequence[Ticket]) -> GrantForm:
        """With the people and the tickets that one can choose now."""
        form = cls()
        asked = [SelectChoice(ticket.reference, f"{ticket.reference}: {ticket.subject}") for ticket in tickets]
        form.about.choices = [SelectChoice("", "No, about something new"), *asked]
        form.audience.choices = [
            SelectChoice(SUPPORT, "Anybody in QikBiz support"),
            *(SelectChoice(str(staff_id), text) for staff_id, text in staff_to_choose()),
        ]
        return form

    @property
    def staff_ids(self) -> list[UUID]:
        """Nobody by name when support as a whole is meant."""
        return [] if self.audience.data == SUPPORT else [UUID(self.audience.data)]
