"""In the retrieval period everything is read and exported, and nothing changed: by page, job, command or SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from provisioning.tenants import suspend
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.crm.schema.registry import record_tables
from qikbiz.jobs.actions import enqueue
from qikbiz.jobs.kinds import kinds
from qikbiz.jobs.models import Job
from qikbiz.kernel.access import permission_of
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.kernel.read_only import STILL_ALLOWED, ReadOnly
from qikbiz.transfer.exports.restore import restore_archive
from tenants.context import Tenant
from tenants.directory import read_tenant
from tests.account_closure.conftest import Leaving
from workers.run_job import perform

pytestmark = pytest.mark.promise("P13")


KEEPING_PEOPLE_OUT = {"members.end_user_session", "members.end_user_sessions", "members.disable_user"}


def now_known(leaving: Leaving) -> Tenant:
    with control_transaction() as control:
        found = read_tenant(control, leaving.tenant.id, "localhost")
    assert found is not None
    return found


def test_every_page_that_changes_something_is_refused_in_words(left_at: Callable[[str], Leaving], app: QikBiz) -> None:
    """Every route of the product, as the most powerful person of the tenant: no list of pages that could miss one."""
    assert refused_routes(left_at("read_only"), app, "This account is closing") >= 15


def refused_routes(leaving: Leaving, app: QikBiz, saying: str) -> int:
    """How many routes refused a change with these words; any other answer than that or "no such record" fails."""
    alice, tried = leaving.browser(), 0
    for rule in app.url_map.iter_rules():
        permission = permission_of(app.view_functions[rule.endpoint])
        if rule.subdomain != "tenant" or "for_test" in rule.endpoint or not rule.methods & {"POST", "PUT", "DELETE"}:
            continue
        if permission in STILL_ALLOWED or permission is None or rule.endpoint in KEEPING_PEOPLE_OUT:
            continue
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<uuid:{argument}>", "00000000-0000-7000-8000-000000000000")
        if "<" in path:
            path = path.split("<")[0] + "name"
        answer = alice.post(path)
        if answer.status_code in (404, 405, 308):
            continue
        assert answer.status_code == 403 and saying in answer.text, rule.rule
        tried += 1
    return tried


def test_every_page_that_changes_something_is_refused_while_suspended(leaving: Leaving, app: QikBiz) -> None:
    suspend(leaving.world.settings, leaving.tenant.slug, "Unpaid")
    assert refused_routes(leaving, app, "This workspace is suspended") >= 15


def test_a_form_that_could_not_be_saved_is_not_shown(leaving: Leaving, subtests: pytest.Subtests) -> None:
    paths = ("/contacts/new", "/companies/new", "/imports/new", "/users/invitation")
    for path in paths:
        assert leaving.browser().get(path).status_code == 200, path
    leaving.to("read_only")
    for path in paths:
        with subtests.test(path=path):
            page = leaving.browser().get(path)
            assert page.status_code == 403 and "This account is closing" in page.text


def test_no_page_offers_what_would_be_refused(leaving: Leaving) -> None:
    """These pages have links and buttons that lead to a change before, and none after."""
    alice = leaving.browser()
    contact = alice.post("/contacts", {"first_name": "Ann", "last_name": "Lee"}).headers["Location"]
    gone = alice.post("/contacts", {"first_name": "Bo", "last_name": "Gone"}).headers["Location"]
    assert alice.post(f"{gone}/deletion").status_code == 303
    pages = ("/", "/contacts", "/companies", contact, gone, "/contacts/trash", "/imports", "/users")
    acts = "new|edit|deletion|restorations|removal|invitations?"
    way = re.compile(rf'(?:href|action)="([^"]*(?<!exports)/(?:{acts})(?:\?[^"]*)?)"')
    before = {path: set(way.findall(alice.get(path).text)) for path in pages}
    assert all(before.values()), before
    leaving.to("read_only")
    alice = leaving.browser()
    after = {path: set(way.findall(alice.get(path).text)) for path in pages}
    assert not any(after.values()), after
    assert "Move to trash" not in alice.get("/contacts").text


def test_who_must_not_come_in_any_more_is_still_kept_out(leaving: Leaving) -> None:
    leaving.to("read_only")
    alice, ben = leaving.browser(), leaving.log_in(leaving.people["ben"])
    ben_id = leaving.people["ben"].id
    assert alice.post(f"/users/{ben_id}/sessions/end-all").status_code == 303
    assert ben.get("/contacts").status_code == 303
    ben = leaving.log_in(leaving.people["ben"])
    assert alice.post(f"/users/{ben_id}/closure").status_code == 303
    assert ben.get("/contacts").status_code == 303
    assert alice.post(f"/users/{ben_id}/opening").status_code == 403


def test_only_logins_exports_grants_and_the_closing_go_on() -> None:
    assert {str(permission) for permission in STILL_ALLOWED} == {
        "public", "signed-in", "export:ask", "export:fetch", "grant:give", "closing:ask"}  # fmt: skip


def test_logins_reading_and_exports_go_on(leaving: Leaving) -> None:
    leaving.to("read_only")
    leaving.advance()
    ben = leaving.log_in(leaving.people["ben"])
    for path in ("/", "/contacts", "/companies", "/contacts?q=ann"):
        page = ben.get(path)
        assert page.status_code == 200 and "This account is closing" in page.text
    assert ben.post("/profile/password", {}).status_code != 403
    alice = leaving.browser()
    assert alice.post("/exports", {"scope": "everything", "product": "portable"}).status_code == 303
    leaving.make_export()
    assert "Ready" in alice.get("/exports").text
    assert alice.post("/logout").status_code == 303


def test_every_page_bears_the_banner_with_the_date(left_at: Callable[[str], Leaving], app: QikBiz) -> None:
    leaving = left_at("read_only")
    until = leaving.closing.erase_after
    assert until is not None
    alice = leaving.browser()
    seen = 0
    for rule in app.url_map.iter_rules():
        if rule.subdomain != "tenant" or rule.arguments or "GET" not in rule.methods or "for_test" in rule.endpoint:
            continue
        page = alice.get(rule.rule, check=False)
        if page.status_code == 200 and 'class="app' in page.text:
            assert "This account is closing" in page.text and f"{until.year}" in page.text, rule.rule
            seen += 1
    assert seen >= 10


def test_members_see_the_banner_without_the_way_to_call_it_off(left_at: Callable[[str], Leaving]) -> None:
    leaving = left_at("read_only")
    assert "View account closure" not in leaving.browser("ben").get("/").text
    assert "View account closure" in leaving.browser("alice").get("/").text


@pytest.mark.parametrize("table", record_tables())
def test_the_database_itself_refuses(left_at: Callable[[str], Leaving], table: str) -> None:
    leaving = left_at("read_only")
    leaving.advance()
    assert leaving.closing.locked_at is not None
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {FIRST_COLUMN[table]} = {FIRST_COLUMN[table]}"):
        with pytest.raises(ProgrammingError, match="permission denied"), tenant_transaction(leaving.tenant) as session:
            session.execute(text(statement))
    with tenant_transaction(leaving.tenant) as session:
        session.execute(text(f"SELECT count(*) FROM {table}"))


FIRST_COLUMN = {
    "companies": "name",
    "contacts": "last_name",
    "contact_companies": "role",
    "record_changes": "kind",
}


def test_every_kind_of_record_is_among_the_tables_that_are_locked() -> None:
    from qikbiz.crm.schema.registry import RECORD_TYPES

    assert set(RECORD_TYPES) <= set(record_tables())


def test_jobs_that_change_records_are_not_taken(left_at: Callable[[str], Leaving]) -> None:
    leaving = left_at("read_only")
    changing = [name for name, kind in kinds().items() if kind.changes_records]
    assert {"imports.apply", "imports.undo"} <= set(changing)
    for kind in changing:
        with pytest.raises(ReadOnly), tenant_transaction(now_known(leaving)):
            enqueue(kind, {"import": "00000000-0000-7000-8000-000000000000"})


def test_one_that_was_taken_before_is_not_done(leaving: Leaving) -> None:
    leaving.to("confirmed")
    with tenant_transaction(leaving.tenant):
        job_id = enqueue("imports.apply", {"import": "00000000-0000-7000-8000-000000000000"}).id
    leaving.to("read_only")
    assert perform(leaving.tenant.id, job_id) == "failed"
    with tenant_transaction(leaving.tenant) as session:
        job = session.get_one(Job, job_id)
    assert job.state == "failed" and "You can read and export everything until" in job.error_text


def test_nothing_is_restored_into_it(left_at: Callable[[str], Leaving], tmp_path: Path) -> None:
    with pytest.raises(ReadOnly), tenant_transaction(now_known(left_at("read_only"))):
        restore_archive(tmp_path / "any.zip")


def test_calling_it_off_allows_changes_again_everywhere(leaving: Leaving, owner_connection: Any) -> None:
    leaving.to("read_only")
    leaving.advance()
    alice = leaving.browser()
    page = alice.follow(alice.post("/closing/cancellation"))
    assert "Making the account editable again" in page.text
    assert alice.post("/contacts", {"last_name": "Early"}).status_code == 403
    leaving.advance()
    assert leaving.closing.state == "cancelled" and leaving.record.read_only_until is None
    made = leaving.browser().post("/contacts", {"first_name": "Ann", "last_name": "Lee"})
    assert made.status_code == 303
    assert "This account is closing" not in leaving.browser().get("/").text
    assert leaving.mails()["cancelled"] == 2
    assert leaving.audited()[-1] == "cancelled"
    question = """SELECT count(*) FROM pg_class c, aclexplode(c.relacl) x
                   WHERE c.relnamespace = %s::regnamespace AND c.relname = ANY (%s)
                     AND x.grantee = %s::regrole AND x.privilege_type IN ('INSERT', 'UPDATE', 'DELETE')"""
    values = (leaving.tenant.schema, list(record_tables()), leaving.tenant.role)
    assert owner_connection.execute(question, values).fetchone() == (3 * len(record_tables()),)


def test_it_can_be_cancelled_at_every_earlier_step(leaving: Leaving, subtests: pytest.Subtests) -> None:
    """Each time it starts again, and goes further."""
    for state in ("asked", "exporting", "exported", "confirmed"):
        with subtests.test(state=state):
            leaving.to(state)
            assert leaving.browser("carol").post("/closing/cancellation").status_code == 303
            assert leaving.closing.state == "cancelled"
            assert "Start</span>" in leaving.browser().get("/closing").text
            assert leaving.browser().post("/closing/cancellation").status_code == 409
            assert leaving.to("asked").state == "asked"


def test_once_the_erasure_has_begun_it_can_not(leaving: Leaving, monkeypatch: pytest.MonkeyPatch) -> None:
    from qikbiz.kernel.errors import Conflict
    from qikbiz.trust.account_closure import actions

    leaving.to("read_only")
    leaving.advance()
    leaving.clock.move(days=29, minutes=1)
    leaving.advance()
    leaving.clock.move(days=1)
    monkeypatch.setattr("provisioning.closing.erase_tenant", lambda *_: None)
    leaving.advance()
    assert leaving.closing.state == "erasing"
    with pytest.raises(Conflict), tenant_transaction(leaving.tenant):
        actions.cancel()
    assert leaving.closing.state == "erasing"


def test_other_organisations_go_on_working(left_at: Callable[[str], Leaving], client_for: Callable[[str], Any]) -> None:
    leaving = left_at("read_only")
    leaving.advance()
    assert leaving.closing.locked_at is not None
    assert client_for("mallory").post("/contacts", {"last_name": "Busy"}).status_code == 303


def test_a_round_that_comes_late_does_not_lock_an_account_that_is_open_again(
    leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One round saw it read-only; before it acted, the closing was cancelled and another round opened it again."""
    from provisioning import closing as closings

    leaving.to("read_only")
    stale = closings._standing(leaving.world.settings, leaving.closing.id)
    leaving.post("/closing/cancellation")
    leaving.advance()
    assert leaving.closing.state == "cancelled"
    monkeypatch.setattr(closings, "_standing", lambda *_: stale)
    closings.advance(leaving.world.settings, leaving.closing.id)
    made = leaving.browser().post("/contacts", {"first_name": "Ann", "last_name": "Lee"})
    assert made.status_code == 303 and leaving.closing.locked_at is None
