"""The addresses that every record type has. Each names the act that it needs; pages get the type's views."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint
from flask.typing import ResponseReturnValue

from qikbiz.crm.records import edit_pages, list_pages, record_pages, suggestions, trash_pages
from qikbiz.crm.records.views import RecordViews
from qikbiz.crm.schema.registry import BY_SINGULAR
from qikbiz.kernel.access import access
from qikbiz.web.navigation import path_of

Page = Callable[..., ResponseReturnValue]
# (method, address below the type's, endpoint, act, page)
_PAGES: tuple[tuple[str, str, str, str, Page], ...] = (
    ("GET", "", "index", "see", list_pages.show_list),
    ("GET", "/filters", "filters", "see", list_pages.show_filters),
    ("POST", "/columns", "columns", "see", list_pages.choose_columns),
    ("POST", "/several", "several", "change", list_pages.change_several),
    ("GET", "/suggestions", "suggestions", "see", suggestions.show_suggestions),
    ("GET", "/new", "new", "create", edit_pages.new_record),
    ("POST", "", "create", "create", edit_pages.create),
    ("GET", "/trash", "trash", "delete", trash_pages.show_trash),
    ("POST", "/restorations", "restore", "delete", trash_pages.restore_several),
    ("GET", "/<uuid:record_id>", "show", "see", record_pages.show_record),
    ("GET", "/<uuid:record_id>/edit", "edit", "change", edit_pages.edit_record),
    ("POST", "/<uuid:record_id>/edit", "save", "change", edit_pages.save_record),
    ("POST", "/<uuid:record_id>/conflict", "settle", "change", edit_pages.settle_conflict),
    ("GET", "/<uuid:record_id>/fields/<name>", "edit_field", "change", record_pages.edit_field),
    ("POST", "/<uuid:record_id>/fields/<name>", "save_field", "change", record_pages.save_field),
    ("POST", "/<uuid:record_id>/deletion", "delete", "delete", trash_pages.delete_one),
    ("GET", "/<uuid:record_id>/removal", "confirm_purge", "purge", trash_pages.confirm_purge),
    ("POST", "/<uuid:record_id>/removal", "purge", "purge", trash_pages.purge),
)


def open_record_pages(blueprint: Blueprint, views: RecordViews) -> None:
    """Give a type its pages."""
    for method, address, endpoint, act, page in _PAGES:
        blueprint.add_url_rule(address, endpoint, _view(page, views, act), methods=[method])


def suggestions_url(type_name: str) -> str:
    """Where a form finds the records of this type whose names begin with what is typed."""
    return path_of(f"{BY_SINGULAR[type_name].plural}.suggestions")


def _view(page: Page, views: RecordViews, act: str) -> Page:
    @access(views.permission(act))
    def view(**values: object) -> ResponseReturnValue:
        return page(views, **values)

    return view
