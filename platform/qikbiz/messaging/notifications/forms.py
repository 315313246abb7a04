"""What the page of notifications sends."""

from __future__ import annotations

from qikbiz.web.forms import OwnForm, Text


class ReadForm(OwnForm):
    """Mark one as read; `show` is which of them the page showed."""

    show = Text()

    @property
    def shown(self) -> str | None:
        return "unread" if self.show.text == "unread" else None


class ReadAllForm(ReadForm):
    """Mark all as read, up to the newest that the page showed."""

    up_to = Text()
