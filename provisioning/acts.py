"""What provisioning writes down about itself in the control database: the platform's audit and the directory's version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from provisioning.servers import Connection
from qikbiz.actors import current_actor
from tenants.control import new_id


def note_act(control: Connection, action: str, *, tenant_id: UUID, subject: str, **details: object) -> None:
    """An audit row in the transaction of the act itself, by the actor at hand."""
    actor = current_actor()
    control.execute(
        """INSERT INTO platform_audit_events
               (id, actor_kind, actor_id, actor_name, action, tenant_id, subject, details, request_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (new_id(), actor.kind, actor.id, actor.name, action, tenant_id, subject, _json(details), actor.request_id),
    )


def touch(control: Connection, tenant_id: UUID) -> None:
    """Have every process read this tenant again (as tenants.directory.touch_directory does for a session)."""
    control.execute(
        """WITH raised AS (UPDATE directory_state SET version = version + 1 RETURNING version)
           UPDATE tenants SET directory_version = raised.version FROM raised WHERE id = %s""",
        (tenant_id,),
    )


def _json(details: Mapping[str, object]) -> str:
    return json.dumps(details, default=str)
