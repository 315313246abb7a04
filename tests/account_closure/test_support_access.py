"""Staff who were let in lose what the customer's own people lose, and their logins go with the erasure."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from provisioning.guest_roles import open_grant
from provisioning.servers import Connection
from qikbiz.crm.schema.registry import record_tables
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.trust.grants.actions import give_grant
from qikbiz.trust.grants.models import Grant
from tests.account_closure.conftest import Leaving

CHANGES = """SELECT count(*) FROM pg_class c CROSS JOIN pg_roles r
             CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) wanted
              WHERE c.relnamespace = %s::regnamespace AND c.relname = ANY (%s) AND r.rolname = %s
                AND (has_table_privilege(r.oid, c.oid, wanted)
                     OR (wanted <> 'DELETE' AND has_any_column_privilege(r.oid, c.oid, wanted)))"""


def give(leaving: Leaving) -> Grant:
    """Alice lets support in, to change and import; the worker makes the login."""
    alice = leaving.people["alice"]
    ends_at = leaving.clock.now() + timedelta(hours=24)
    with acting_as(Actor("user", alice.id, alice.name)), control_transaction(), tenant_transaction(leaving.tenant):
        grant = give_grant(staff_ids=[], scopes=["see", "change", "import"], reason="Help us", ends_at=ends_at)
    open_grant(leaving.world.settings, UUID(str(grant.id)))
    return grant


def changes_of(leaving: Leaving, grant: Grant, connection: Connection) -> int:
    values = (leaving.tenant.schema, list(record_tables()), grant.role_name)
    return int((connection.execute(CHANGES, values).fetchone() or (0,))[0])


def test_a_guest_may_change_no_more_than_the_customer(leaving: Leaving, owner_connection: Connection) -> None:
    leaving.to("confirmed")
    before = give(leaving)
    assert changes_of(leaving, before, owner_connection) > 0
    leaving.to("read_only")
    leaving.advance()
    assert changes_of(leaving, before, owner_connection) == 0
    # One who is let in only now gets no more.
    assert changes_of(leaving, give(leaving), owner_connection) == 0


@pytest.mark.promise("P13")
def test_the_logins_of_guests_go_with_the_erasure(leaving: Leaving, owner_connection: Connection) -> None:
    leaving.to("read_only")
    leaving.advance()
    for days in (23.1, 6):
        leaving.clock.move(days=days)
        leaving.advance()
    grant = give(leaving)
    known = "SELECT 1 FROM pg_roles WHERE rolname = %s"
    assert owner_connection.execute(known, (grant.role_name,)).fetchone() is not None
    leaving.clock.move(days=1.1)
    leaving.advance()
    assert leaving.closing.state == "erased"
    assert owner_connection.execute(known, (grant.role_name,)).fetchone() is None
