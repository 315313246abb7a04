"""What the pages of the audit send."""

from __future__ import annotations

from qikbiz.web.forms import OwnForm, Text


class RetentionForm(OwnForm):
    """For how many months entries are kept; "" is for good."""

    months = Text("Retention")
