"""No request sets what its form does not have: a role, an owner, another organisation.

A form is refused whole when it holds a field that it doesn't have. The views of IGNORING
are buttons, which read nothing, so anything that comes along is never looked at; a new export reads the filters of a
list by their names. There a refusal would protect nothing; here it is seen that nothing of it arrives.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from psycopg import sql
from sqlalchemy import select

from provisioning.servers import Connection
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.identity.accounts.models import User
from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant
from tests.audit.test_every_change import STEPS, Walk
from tests.fixtures.web import Browser
from tests.fixtures.world import Organisation

pytestmark = pytest.mark.promise("P15")
MARK = "on-the-side-7f3a"
ASIDE = {
    "tenant_id": MARK, "roles": "administrator", "is_admin": "1", "deleted_at": MARK, "created_by": MARK, "epoch": "99",
    "password_hash": MARK, "requested_by": MARK, "actor_id": MARK, "grant_id": MARK, "instruction": MARK,
    "unheard_of": MARK,
}  # fmt: skip
# Buttons, which read nothing, and a new export, which reads the filters of a list by their names.
IGNORING = {
    f"{feature}.{view}"
    for feature, views in {
        "accounts": "end_other_sessions end_session logout",
        "companies": "delete restore",
        "contacts": "delete restore",
        "exports": "call_off create delete",
        "members": "disable_user enable_user resend_invitation",
        "imports": "apply call_off",
    }.items()
    for view in views.split()
}


class Meddler(Walk):
    """Does what the walk does, and adds fields to each form that it does not have."""

    def __init__(self, organisation: Organisation, app: QikBiz) -> None:
        super().__init__(organisation, app)
        self.refusing: set[str] = set()
        self.ignoring: set[str] = set()

    def does(self, path: str, form: dict[str, Any] | None = None, browser: Browser | None = None, **more: Any) -> str:
        asked = path.partition("?")[0]
        where = self.app.url_map.bind(self.organisation.tenant.host, subdomain="tenant").match(asked, method="POST")[0]
        before = self._events()
        for name, value in ASIDE.items():
            if where in self.ignoring:
                break
            answer = (browser or self.alice).post(path, (form or {}) | {name: value}, check=False, **more)
            if answer.status_code < 400:
                self.ignoring.add(where)
                return answer.location or ""
            assert answer.status_code == 400 and name in answer.text, (where, name, answer.status_code)
            assert self._events() == before, f"{where} refuses {name} and does something."
        self.refusing.add(where)
        return super().does(path, form, browser, **more)


def test_what_no_form_asks_for_is_refused_by_name_or_never_looked_at(
    organisation: Organisation, app: QikBiz, owner_connection: Connection, subtests: pytest.Subtests
) -> None:
    for step in STEPS:
        with subtests.test(step):
            walk, before = Meddler(organisation, app), administrators_of(organisation)
            STEPS[step](walk)
            assert walk.ignoring <= IGNORING and not walk.refusing & IGNORING
            assert MARK not in everything_in(owner_connection, organisation.tenant)
            assert administrators_of(organisation) == before


def administrators_of(organisation: Organisation) -> set[UUID]:
    with tenant_transaction(organisation.tenant) as session:
        return set(session.scalars(select(User.id).where(User.roles.contains(["administrator"]))))


def everything_in(owner: Connection, tenant: Tenant) -> str:
    """Every row of every table of the tenant, as text."""
    tables = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (tenant.schema,)).fetchall()
    question = sql.SQL("SELECT string_agg(t::text, chr(10)) FROM {} t")
    rows = (owner.execute(question.format(sql.Identifier(tenant.schema, name))).fetchone() for (name,) in tables)
    return "\n".join(str(row[0]) for row in rows if row)
