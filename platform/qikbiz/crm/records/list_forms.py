"""What the pages of lists and of the trash send. The form of a record itself is made in `forms`."""

from __future__ import annotations

from uuid import UUID

from qikbiz.crm.records.actions import MOST_AT_ONCE
from qikbiz.kernel.errors import Failure
from qikbiz.web.forms import OwnForm, Text, Texts


class UnknownRow(Failure):
    """A row was ticked that is no record."""


class ListForm(OwnForm):
    """`next` is the list as it was shown. Only its query is taken over, so that it can't lead elsewhere."""

    next = Text()

    @property
    def query(self) -> str:
        query = self.next.text.partition("?")[2]
        return f"?{query}" if query and query.isprintable() else ""


class ColumnsForm(ListForm):
    columns = Texts("Columns")


class SeveralForm(ListForm):
    """One act for all ticked rows."""

    ids = Texts()
    act = Text()
    tag = Text("Tag")
    owner_id = Text("Owner")

    def record_ids(self) -> list[UUID]:
        """Raises UnknownRow, and Failure for more rows than one act may change."""
        try:
            ids = [UUID(text) for text in self.ids.texts]
        except ValueError:
            raise UnknownRow("One of the selected rows is not a record.") from None
        if len(ids) > MOST_AT_ONCE:
            raise Failure(f"At most {MOST_AT_ONCE} rows can be changed at once. Nothing was changed.")
        return ids


class PurgeForm(OwnForm):
    """The record's name, typed to confirm."""

    typed = Text()
