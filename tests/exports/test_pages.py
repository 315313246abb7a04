"""Asking for exports and fetching them: who may, what is shown, and that a download can be resumed."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import select, update

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.audit.models import AuditEvent
from qikbiz.kernel import clock
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.errors import TooMany
from qikbiz.messaging.mail.models import Mail
from qikbiz.transfer.exports.models import Export
from tenants.control import new_id
from tests.exports.conftest import ExportHarness
from tests.fixtures.people import Person
from tests.fixtures.web import Browser
from tests.fixtures.world import World


@pytest.fixture
def alice(export_harness: ExportHarness, log_in: Callable[..., Browser]) -> Browser:
    return log_in(export_harness.alice)


def address(export: Export) -> str:
    return f"/exports/{export.id}/file"


def exports_in(export_harness: ExportHarness) -> list[Export]:
    with tenant_transaction(export_harness.tenant) as session:
        return list(session.scalars(select(Export)))


def actions_in(export_harness: ExportHarness) -> list[str]:
    with tenant_transaction(export_harness.tenant) as session:
        its = select(AuditEvent.action).where(AuditEvent.record_type == "export").order_by(AuditEvent.id)
        return list(session.scalars(its))


def test_a_new_organisation_is_told_what_exports_are_for(alice: Browser) -> None:
    assert "No export yet" in alice.get("/exports").text


def test_alice_asks_for_everything_and_watches_it(alice: Browser, export_harness: ExportHarness) -> None:
    form = alice.get("/exports/new")
    assert "Portable" in form.text and "Spreadsheet" in form.text
    made = alice.post("/exports", {"scope": "everything", "product": "portable"})
    page = alice.follow(made)
    assert "In progress" in page.text and "hx-trigger" in page.text
    assert actions_in(export_harness) == ["export.asked"]
    assert "Waiting" in alice.get("/exports").text


def test_the_progress_is_a_block_of_the_same_page(alice: Browser, export_harness: ExportHarness) -> None:
    export = export_harness.ask()
    part = alice.get(f"/exports/{export.id}", headers={"HX-Request": "true", "HX-Target": "standing"}, check=False)
    assert part.text.strip().startswith('<div id="standing"') and "<html" not in part.text


def test_a_double_click_asks_for_one_export(alice: Browser, export_harness: ExportHarness) -> None:
    page = alice.get("/exports/new").text
    found = re.search(r'name="export_id" value="([^"]+)"', page)
    assert found
    form = {"scope": "contacts", "product": "portable", "export_id": found[1]}
    first, second = alice.post("/exports", form), alice.post("/exports", form)
    assert first.location == second.location
    assert len(exports_in(export_harness)) == 1


def test_the_fourth_export_at_once_is_asked_to_wait(alice: Browser, export_harness: ExportHarness) -> None:
    for _ in range(3):
        assert alice.post("/exports", {"scope": "contacts"}).status_code == 303
    refused = alice.post("/exports", {"scope": "contacts"})
    assert refused.status_code == 429 and "Retry-After" in refused.headers
    assert len(exports_in(export_harness)) == 3


def test_a_filtered_list_is_exported_as_it_is_shown(alice: Browser, export_harness: ExportHarness) -> None:
    export_harness.add(first_name="Ann", last_name="Lee", city="Graz")
    export_harness.add(first_name="Bea", last_name="Ohm", city="Wien")
    page = alice.get("/exports/new?scope=contacts&city=Graz").text
    assert "Filtered list" in page and 'name="city" value="Graz"' in page
    alice.post("/exports", {"scope": "contacts", "city": "Graz", "product": "portable"})
    export = exports_in(export_harness)[0]
    assert export.filters == {"city": ["Graz"]}
    made = export_harness.make_now(export)
    rows = export_harness.zip_of(made).read("contacts.csv").decode()
    assert "Ann" in rows and "Bea" not in rows


def test_what_cannot_be_exported_is_refused_in_words(
    alice: Browser, export_harness: ExportHarness, subtests: pytest.Subtests
) -> None:
    for form in (
        {"scope": "secrets"},
        {"scope": "contacts", "product": "xml"},
        {"scope": "contacts", "columns": "password_hash"},
        {"scope": "contacts", "owner_id": "nobody-at-all"},
        {"scope": "contacts", "export_id": "1"},
    ):
        with subtests.test(form=form):
            assert alice.post("/exports", form).status_code in (400, 404)
            assert exports_in(export_harness) == []


def test_members_and_readers_may_not_export(client_for: Callable[[str], Browser]) -> None:
    for name in ("ben", "bob"):
        browser = client_for(name)
        assert browser.get("/exports").status_code == 403
        assert browser.post("/exports", {"scope": "everything"}).status_code == 403


def test_another_organisation_finds_nothing(
    export_harness: ExportHarness, log_in: Callable[..., Browser], world: World
) -> None:
    export = export_harness.make()
    # Signed in just now, so that no page asks for the password first.
    mallory = log_in(world.mallory)
    for path in (f"/exports/{export.id}", address(export)):
        assert mallory.get(path).status_code == 404
    for act in ("deletion", "cancellation"):
        assert mallory.post(f"/exports/{export.id}/{act}").status_code == 404
    assert export_harness.now(export.id).state == "ready"


def test_a_ready_export_shows_what_it_is_and_downloads_whole(alice: Browser, export_harness: ExportHarness) -> None:
    export_harness.add(first_name="Ann", last_name="Lee")
    export = export_harness.make()
    page = alice.get(f"/exports/{export.id}").text
    assert export.file_sha256 in page and "Kept until" in page and "<dt>Downloads</dt>" in page
    whole = alice.get(address(export))
    assert whole.status_code == 200 and len(whole.data) == export.file_bytes
    assert whole.headers["ETag"] == f'"{export.file_sha256}"'
    assert whole.headers["Cache-Control"] == "private, no-store"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Content-Disposition"].startswith('attachment; filename="')
    assert export_harness.now(export.id).downloads == 1
    assert actions_in(export_harness)[-1] == "export.downloaded"


def test_the_first_download_is_told_to_all_administrators(
    alice: Browser, export_harness: ExportHarness, add_person: Callable[..., Person]
) -> None:
    add_person(export_harness.tenant, "Ada", "administrator")
    export = export_harness.make()
    alice.get(address(export))
    alice.get(address(export))
    with tenant_transaction(export_harness.tenant) as session:
        told = session.execute(select(Mail.template, Mail.to_address).where(Mail.template.like("export%"))).all()
    people = {export_harness.alice.email, f"ada@{export_harness.tenant.slug}.example.com"}
    assert {address for template, address in told if template == "export_downloaded_first"} == people
    assert sorted(template for template, _ in told) == [
        "export_downloaded_first", "export_downloaded_first", "export_made", "export_ready",
    ]  # fmt: skip


def test_a_download_cut_at_37_percent_goes_on(alice: Browser, export_harness: ExportHarness) -> None:
    for number in range(300):
        export_harness.add(first_name=f"Ann {number}", description=str(new_id()) * 40)
    export = export_harness.make()
    assert export.file_bytes is not None
    whole = alice.get(address(export)).data
    cut = int(export.file_bytes * 0.37)
    rest = alice.get(address(export), headers={"Range": f"bytes={cut}-", "If-Range": f'"{export.file_sha256}"'})
    assert rest.status_code == 206
    assert rest.headers["Content-Range"] == f"bytes {cut}-{export.file_bytes - 1}/{export.file_bytes}"
    assert whole[:cut] + rest.data == whole
    assert export_harness.now(export.id).downloads == 1


def test_a_range_of_another_file_gets_the_whole_one(alice: Browser, export_harness: ExportHarness) -> None:
    export = export_harness.make()
    answer = alice.get(address(export), headers={"Range": "bytes=10-", "If-Range": '"another"'})
    assert answer.status_code == 200 and len(answer.data) == export.file_bytes


def test_odd_ranges_are_answered_as_the_rfc_says(
    alice: Browser, export_harness: ExportHarness, subtests: pytest.Subtests
) -> None:
    export = export_harness.make()
    for asked, status in (
        ("bytes=0-0", 206), ("bytes=-5", 206), ("bytes=999999999-", 416), ("bytes=0-1,4-5", 200),
        ("lines=1-2", 200), ("bytes=x", 200), ("bytes=5-2", 200),
    ):  # fmt: skip
        with subtests.test(asked=asked):
            answer = alice.get(address(export), headers={"Range": asked})
            assert answer.status_code == status
            if status == 416:
                assert answer.headers["Content-Range"] == f"bytes */{export.file_bytes}"


def test_head_says_the_size_and_counts_for_nothing(alice: Browser, export_harness: ExportHarness) -> None:
    export = export_harness.make()
    answer = alice.open(address(export), method="HEAD")
    assert answer.headers["Content-Length"] == str(export.file_bytes) and answer.data == b""
    assert export_harness.now(export.id).downloads == 0


def test_an_expired_export_is_gone_also_for_ranges(alice: Browser, export_harness: ExportHarness) -> None:
    export = export_harness.make()
    with tenant_transaction(export_harness.tenant) as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(update(Export).where(Export.id == export.id).values(expires_at=past))
    assert alice.get(address(export)).status_code == 410
    assert alice.get(address(export), headers={"Range": "bytes=1-2"}).status_code == 410
    assert "expired" in alice.get(f"/exports/{export.id}").text


def test_delete_now_deletes_the_key_and_the_file(alice: Browser, export_harness: ExportHarness) -> None:
    export = export_harness.make()
    assert alice.post(f"/exports/{export.id}/deletion").status_code == 303
    assert alice.get(address(export)).status_code == 410
    gone = export_harness.now(export.id)
    assert (gone.state, gone.file_key, gone.file_path) == ("deleted", None, None)
    assert export_harness.files() == []
    assert alice.post(f"/exports/{export.id}/deletion").status_code == 409


def test_an_export_under_way_can_be_cancelled_once(alice: Browser, export_harness: ExportHarness) -> None:
    export = export_harness.ask()
    assert alice.post(f"/exports/{export.id}/cancellation").status_code == 303
    assert alice.post(f"/exports/{export.id}/cancellation").status_code == 409
    assert export_harness.make_now(export).state == "deleted"
    assert export_harness.files() == []


def test_an_export_that_is_being_written_is_cancelled_at_once(
    app: QikBiz, alice: Browser, export_harness: ExportHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, cancelled = Event(), Event()

    def hold(*_: object) -> None:
        writing.set()
        assert cancelled.wait(30)

    monkeypatch.setattr("qikbiz.transfer.exports.jobs._refuse_if_revoked", hold)
    export = export_harness.ask()
    with ThreadPoolExecutor(1) as worker:
        made = worker.submit(_made_by_a_worker, app, export_harness, export)
        assert writing.wait(30)
        assert alice.post(f"/exports/{export.id}/cancellation").status_code == 303
        cancelled.set()
        assert made.result(30).state == "deleted"
    assert export_harness.files() == []


def _made_by_a_worker(app: QikBiz, export_harness: ExportHarness, export: Export) -> Export:
    with app.app_context():
        return export_harness.make_now(export)


def test_a_download_needs_a_fresh_password(
    export_harness: ExportHarness, log_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    export = export_harness.make()
    browser = log_in(export_harness.alice)
    later = datetime.now(UTC) + timedelta(minutes=20)
    monkeypatch.setattr(clock, "now", lambda: later)
    answer = browser.get(address(export))
    assert answer.status_code in (302, 303) and "/confirm" in answer.location


def test_somebody_who_lost_the_right_is_refused_at_the_next_piece(
    alice: Browser, export_harness: ExportHarness, add_person: Callable[..., Person], log_in: Callable[..., Browser]
) -> None:
    export = export_harness.make()
    ada = log_in(add_person(export_harness.tenant, "Ada", "administrator"))
    assert alice.get(address(export), headers={"Range": "bytes=0-9"}).status_code == 206
    assert ada.post(f"/users/{export_harness.alice.id}/role", {"role": "member"}).status_code == 303
    assert alice.get(address(export), headers={"Range": "bytes=10-19"}).status_code == 403


def test_however_many_ask_at_once_only_three_wait(export_harness: ExportHarness, app: QikBiz) -> None:
    def ask(_: int) -> bool:
        with app.app_context():
            try:
                export_harness.ask()
            except TooMany:
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 3


def test_a_file_that_was_removed_by_hand_is_gone(alice: Browser, export_harness: ExportHarness) -> None:
    export = export_harness.make()
    assert export.file_path
    export_harness.store.delete(export.file_path)
    assert alice.get(address(export)).status_code == 410


def test_the_menu_of_a_list_exports_what_it_shows(alice: Browser) -> None:
    page = alice.get("/contacts?q=ann&city=Graz").text
    found = re.search(r'href="(/exports/new[^"]+)"', page)
    assert found
    form = alice.get(found[1].replace("&amp;", "&")).text
    assert 'name="city" value="Graz"' in form and 'name="q" value="ann"' in form
    assert re.search(r'value="spreadsheet" checked', form)


def test_after_the_password_the_page_of_the_export_stays_and_the_file_comes(
    alice: Browser, export_harness: ExportHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = export_harness.make()
    page = alice.get(f"/exports/{export.id}")
    assert f'href="{address(export)}"' in page.text
    assert "Refresh" not in page.headers
    monkeypatch.setattr("qikbiz.identity.accounts.principal.Principal.is_fresh", False)
    page = alice.get(f"/exports/{export.id}?fetch=1")
    assert f'href="/exports/{export.id}/download"' in page.text
    assert "Refresh" not in page.headers
    assert "/confirm" in alice.get(f"/exports/{export.id}/download").location
    monkeypatch.undo()
    page = alice.follow(alice.get(f"/exports/{export.id}/download"))
    assert "<dt>Downloads</dt>" in page.text
    assert page.headers["Refresh"] == f"0; url={address(export)}"
