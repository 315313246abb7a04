"""What the page of blocked addresses sends."""

from __future__ import annotations

from qikbiz.web.forms import ReasonForm, Text


class AllowanceForm(ReasonForm):
    address = Text("Address")
