"""The table of rights against the product: each role and act by its page, by its function and by its job.

What the table allows must work in all three, what it doesn't must be refused in all three.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete

from provisioning.application import working_with
from qikbiz.crm.companies.actions import change_company, create_company
from qikbiz.crm.contacts.actions import change_contact, create_contact
from qikbiz.crm.records.actions import delete_records, record_for_changing, record_for_reading
from qikbiz.crm.schema.registry import BY_SINGULAR
from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.builtin_roles import built_in, page_rights
from qikbiz.kernel.access import permission_of
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.errors import Forbidden, NotFound
from qikbiz.kernel.permissions import Action, Role, record_types
from qikbiz.kernel.rights import Rights, Scope
from qikbiz.transfer.exports.actions import ask_for_export
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.selection import Selection
from qikbiz.transfer.imports.actions import ask_apply, ask_check, choose_columns, start_import
from qikbiz.transfer.imports.mapping import Mapping
from qikbiz.transfer.imports.models import Import
from tenants.control import new_id
from tests.fixtures.people import Person
from tests.fixtures.roles import Staffed
from tests.fixtures.world import Organisation, World
from workers.run_job import perform

pytestmark = pytest.mark.promise("P15")
FILES = {"contact": b"Last name,E-mail\nNew,new@x.example\n", "company": b"Name\nNew Works\n"}


def _seeing_and(action: Action) -> Rights:
    return Rights.of(**{"see": "all", action.value.replace("import", "import_"): "all"})


# Every built-in role, each act alone beside seeing, and a role that opens nothing.
ROLES: dict[str, Rights] = {
    **{role.value: built_in()[role] for role in Role},
    **{f"only {action}": _seeing_and(action) for action in Action},
    "nothing": Rights({}),
    "contacts only": Rights.of(see="all", create="all", change="all", delete="all", export="all", import_="all",
                               types=["contact"]),
}  # fmt: skip


@dataclass
class Case:
    """A user with the role under test, and records to work on."""

    staffed: Staffed
    rights: Rights

    @property
    def browser(self) -> Any:
        return self.staffed.organisation.browser("cleo")

    def fresh_record(self, kind: str) -> str:
        organisation = self.staffed.organisation
        return organisation.add_contact(first_name="Gone") if kind == "contact" else organisation.add_company("Gone")

    def acting(self) -> Any:
        return self.staffed.acting("cleo")


@pytest.fixture(params=ROLES, scope="module")
def shared_case(
    request: pytest.FixtureRequest,
    world: World,
    make_organisation: Callable[[], Organisation],
    add_person: Callable[..., Person],
) -> Case:
    """An organisation for each role: what one test does there, the next one doesn't look at."""
    staffed = Staffed(make_organisation(), add_person)
    with working_with(world.runtime):
        staffed.join("cleo", ROLES[request.param])
    return Case(staffed, ROLES[request.param])


@pytest.fixture
def case(shared_case: Case, working: object) -> Case:
    """With no export at work, as three at most may be."""
    with tenant_transaction(shared_case.staffed.organisation.tenant) as session:
        session.execute(delete(Export))
    return shared_case


# What a browser asks for; each gives the status.
def _pages(case: Case, kind: str) -> dict[Action, Callable[[], list[int]]]:
    browser, plural, ident = case.browser, BY_SINGULAR[kind].plural, case.fresh_record(kind)
    named = {"first_name" if kind == "contact" else "name": f"New {new_id()}"}

    def upload() -> int:
        file = {"file": (io.BytesIO(FILES[kind]), "a.csv"), "type": plural, "import_id": str(new_id())}
        return int(browser.post("/imports/", file, check=False).status_code)

    field = {"description": "x", "version": "1", "was": ""}
    export = {"scope": plural, "product": "spreadsheet", "export_id": str(new_id())}
    return {
        Action.SEE: lambda: [browser.get(f"/{plural}").status_code, browser.get(f"/{plural}/{ident}").status_code],
        Action.CREATE: lambda: [
            browser.get(f"/{plural}/new").status_code,
            browser.post(f"/{plural}", named).status_code,
        ],
        Action.CHANGE: lambda: [
            browser.get(f"/{plural}/{ident}/edit").status_code,
            browser.post(f"/{plural}/{ident}/fields/description", field, check=False).status_code,
        ],
        Action.DELETE: lambda: [browser.post(f"/{plural}/{case.fresh_record(kind)}/deletion").status_code],
        Action.EXPORT: lambda: [
            browser.get(f"/exports/new?scope={plural}").status_code,
            browser.post("/exports/", export).status_code,
        ],
        Action.IMPORT: lambda: [browser.get(f"/imports/new?type={plural}").status_code, upload()],
    }  # fmt: skip


# What pages, programs and commands call alike.
def _functions(case: Case, kind: str) -> dict[Action, Callable[[], Any]]:
    declared, ident = BY_SINGULAR[kind], UUID(case.fresh_record(kind))
    create, change = (create_contact, change_contact) if kind == "contact" else (create_company, change_company)
    named = {"first_name" if kind == "contact" else "name": f"New {new_id()}"}

    def changed() -> Any:
        return change(record_for_changing(declared, ident), {"description": "other"})

    def deleted() -> Any:
        gone = delete_records(declared, [UUID(doomed[kind])])
        if not gone:
            raise Forbidden
        return gone

    doomed = {kind: case.fresh_record(kind)}
    return {
        Action.SEE: lambda: record_for_reading(declared, ident),
        Action.CREATE: lambda: create(named),
        Action.CHANGE: changed,
        Action.DELETE: deleted,
        Action.EXPORT: lambda: ask_for_export(Selection(declared.plural, "spreadsheet")),
        Action.IMPORT: lambda: start_import(new_id(), declared.plural, "a.csv", io.BytesIO(FILES[kind])),
    }


@pytest.mark.parametrize("kind", record_types())
def test_pages_open_as_the_table_says(case: Case, kind: str) -> None:
    for action, statuses in _pages(case, kind).items():
        allowed = case.rights.scope(kind, action) is Scope.ALL
        for status in statuses():
            assert (status in (200, 303)) == allowed, (kind, action, status)
            assert allowed or status == 403, (kind, action, status)


@pytest.mark.parametrize("kind", record_types())
def test_functions_do_as_the_table_says(case: Case, kind: str) -> None:
    for action, act in _functions(case, kind).items():
        allowed = case.rights.scope(kind, action) is Scope.ALL
        with tenant_transaction(case.staffed.organisation.tenant), case.acting():
            try:
                act()
            except (Forbidden, NotFound):
                assert not allowed, (kind, action)
            else:
                assert allowed, (kind, action)


def test_pages_of_settings_open_as_the_table_says(case: Case, app: Any) -> None:
    wanted = {right.permission for right in page_rights()}
    for rule in app.url_map.iter_rules():
        permission = permission_of(app.view_functions[rule.endpoint])
        if rule.subdomain != "tenant" or permission not in wanted or rule.arguments or "GET" not in rule.methods:
            continue
        status = case.browser.get(rule.rule, check=False).status_code
        assert (status != 403) == case.rights.can(permission), (rule.rule, status)


def _switch(case: Case, session: Any, roles: list[str]) -> list[str]:
    user = session.get_one(User, case.staffed.id("cleo"))
    before, user.roles = list(user.roles), roles
    return before


@pytest.mark.parametrize("kind", record_types())
def test_a_job_asks_the_table_again_when_it_runs(case: Case, kind: str) -> None:
    """Asked for by an administrator who is one no longer: the worker finds the present role."""
    tenant, declared = case.staffed.organisation.tenant, BY_SINGULAR[kind]
    with tenant_transaction(tenant) as session:
        roles = _switch(case, session, [Role.ADMINISTRATOR.value])
    with tenant_transaction(tenant), case.acting():
        export = ask_for_export(Selection(declared.plural, "spreadsheet"))
        found = start_import(new_id(), declared.plural, "a.csv", io.BytesIO(FILES[kind]))
        mapping, key = Mapping.from_json(found.mapping), found.key_field
        choose_columns(found, mapping, key="name" if kind == "company" else key, mode="upsert", options={})
        ask_check(found)
        jobs = [export.job_id, found.job_id]
    with tenant_transaction(tenant) as session:
        _switch(case, session, roles)
    for job_id in jobs:
        perform(tenant.id, job_id)
    with tenant_transaction(tenant) as session:
        made, checked = session.get_one(Export, export.id), session.get_one(Import, found.id)
    may_export = case.rights.scope(kind, Action.EXPORT) is Scope.ALL
    may_import = case.rights.scope(kind, Action.IMPORT) is Scope.ALL
    assert made.state == ("ready" if may_export else "failed")
    assert checked.state == ("checked" if may_import else "failed")


@pytest.mark.parametrize("kind", record_types())
def test_an_import_is_not_applied_by_a_role_that_lost_it(case: Case, kind: str) -> None:
    tenant, declared = case.staffed.organisation.tenant, BY_SINGULAR[kind]
    with tenant_transaction(tenant) as session:
        roles = _switch(case, session, [Role.ADMINISTRATOR.value])
    with tenant_transaction(tenant), case.acting():
        found = start_import(new_id(), declared.plural, "a.csv", io.BytesIO(FILES[kind]))
        key = "name" if kind == "company" else found.key_field
        choose_columns(found, Mapping.from_json(found.mapping), key=key, mode="upsert", options={})
        ask_check(found)
        job_id = found.job_id
    perform(tenant.id, job_id)
    with tenant_transaction(tenant) as session, case.acting():
        found = session.get_one(Import, found.id)
        ask_apply(found)
        job_id = found.job_id
    with tenant_transaction(tenant) as session:
        _switch(case, session, roles)
    perform(tenant.id, job_id)
    with tenant_transaction(tenant) as session:
        state = session.get_one(Import, found.id).state
    assert state == ("applied" if case.rights.scope(kind, Action.IMPORT) is Scope.ALL else "checked")
