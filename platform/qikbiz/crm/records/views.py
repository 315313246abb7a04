"""What the pages of a record type differ in: the actions that keep its links right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for
from flask_login import current_user

from qikbiz.audit.actions import Changes
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.kernel.permissions import Action, RecordPermission, record_permission
from qikbiz.kernel.read_only import is_read_only
from qikbiz.web.navigation import path_of


@dataclass(frozen=True)
class RecordViews:
    """A record type with what may be done to it. `create` and `change` are the type's own actions.

    `declared` is the whole type; pages use `record_type`, which is what of it the person at hand knows.
    """

    declared: RecordType
    create: Callable[[Mapping[str, object], UUID], Record]
    change: Callable[[Any, Mapping[str, Any]], Changes]
    # Called after a form was saved, with the record: for what the person should know about it.
    after_save: Callable[[Any], None] = lambda _found: None

    @property
    def record_type(self) -> RecordType:
        return visible_type(self.declared, current_user.rights)

    def url(self, page: str, **values: Any) -> str:
        """The address of one of this type's pages."""
        endpoint = f"{self.declared.plural}.{page}"
        return url_for(endpoint, **values) if values else path_of(endpoint)

    @property
    def plural(self) -> str:
        return self.declared.plural

    def permission(self, act: str) -> RecordPermission:
        """What an act on this type needs, such as contact:change."""
        return record_permission(self.declared.name, act)

    @property
    def may_create(self) -> bool:
        return self._may("create")

    @property
    def may_change(self) -> bool:
        return self._may("change")

    @property
    def may_delete(self) -> bool:
        return self._may("delete")

    @property
    def may_purge(self) -> bool:
        return self._may("purge")

    @property
    def may_export(self) -> bool:
        return self._may("export")

    @property
    def may_import(self) -> bool:
        return self._may("import")

    def reaches(self, action: str, record: Record) -> bool:
        """Whether the person at hand may do this to this record: for the buttons on its page."""
        may_reach = current_user.rights.reaches(self.declared.name, Action(action), record.owner_id)
        return bool(may_reach) and not is_read_only()

    def _may(self, act: str) -> bool:
        return bool(current_user.can(self.permission(act)))
