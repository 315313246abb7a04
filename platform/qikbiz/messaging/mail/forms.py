"""What the pages about mails send."""

from __future__ import annotations

from qikbiz.messaging.mail.categories import KINDS, NEWS
from qikbiz.messaging.mail.unsubscribing import ONE_CLICK
from qikbiz.web.forms import OwnForm, Text


class ChoicesForm(OwnForm):
    """A field for each category of mails that a user can change."""

    @property
    def wanted(self) -> dict[str, str]:
        """The categories that were sent, with their choice."""
        return {name: choice for name, choice in self.data.items() if choice is not None}


for _one in (*NEWS, *KINDS):
    setattr(ChoicesForm, _one.key, Text(_one.name))


class OneClickForm(OwnForm):
    """RFC 8058: other people's mail programs send it, with whatever else, so unknown fields are no fault here."""

    @property
    def is_meant(self) -> bool:
        return bool(self[ONE_CLICK[0]].data == ONE_CLICK[1])


setattr(OneClickForm, ONE_CLICK[0], Text())
