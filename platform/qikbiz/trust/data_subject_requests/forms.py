"""What the page of a person's request sends."""

from __future__ import annotations

from qikbiz.web.forms import OwnForm, Text


class ErasureForm(OwnForm):
    """The person's name, typed to confirm, and the reference that goes on the receipt."""

    typed = Text()
    reference = Text("Your reference")
