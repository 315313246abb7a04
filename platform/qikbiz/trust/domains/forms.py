"""What the page of domains sends."""

from __future__ import annotations

from qikbiz.web.forms import OwnForm, Text


class DomainForm(OwnForm):
    host = Text("Domain")
