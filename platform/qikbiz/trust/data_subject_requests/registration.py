"""What this package does for exports, restores and imports: one person's file, and nobody who was erased comes back."""

from __future__ import annotations

from flask import url_for

from qikbiz.crm.schema.registry import MenuEntry, register_menu_entry
from qikbiz.kernel.permissions import Permission
from qikbiz.transfer.exports.contributions import ROW_FILTER, OwnProduct, register_product
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.imports.contributions import ROWS_OF_ERASED
from qikbiz.trust.data_subject_requests.erased_rows import rows_of_erased
from qikbiz.trust.data_subject_requests.file import PERSON, make_person_file
from qikbiz.trust.data_subject_requests.restore_filter import Erased


def register() -> None:
    ROW_FILTER.register(Erased.known)
    ROWS_OF_ERASED.register(rows_of_erased)
    register_menu_entry(
        "contact",
        MenuEntry(
            "Privacy request", "user-x", Permission.PERSON_ANSWER, lambda id_: url_for("persons.show", contact_id=id_)
        ),
    )
    register_product(
        OwnProduct(
            name=PERSON,
            title="Data of one person",
            make=make_person_file,
            permission=Permission.PERSON_ANSWER,
            retry=_page_of_person,
            filters=frozenset({"contact"}),
        )
    )


def _page_of_person(export: Export) -> str:
    return url_for("persons.show", contact_id=export.filters["contact"][0])
