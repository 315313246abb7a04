"""`qikbiz import` and `qikbiz undo-import`, against a real worker, exactly as scripts will use them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from provisioning import importing
from provisioning.instructions import Authority
from qikbiz.audit.models import AuditEvent, PlatformAuditEvent
from qikbiz.jobs.transport import queue_store
from qikbiz.kernel.database import control_transaction, db
from qikbiz.transfer.imports.csv_dialect import UnreadableFile
from qikbiz.transfer.imports.queries import import_for_changing
from tests.fixtures.commands import in_a_process, in_here
from tests.fixtures.workers import WorkerHarness
from tests.fixtures.world import World
from tests.imports.harness import ImportHarness, csv_text

WORDS = "Letter of Ann Lee, 3 November"
HEADER = ["First name", "Last name", "Email", "Shoe size"]
ANN = ["Ann", "Lee", "ann@example.com", "38"]
BAD = ["Bad", "Row", "nobody", "40"]
Command = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def qikbiz(world: World) -> Command:
    return partial(in_here, world.settings.home)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(csv_text(HEADER, [ANN, BAD]))
    return path


def test_a_file_is_imported_mended_imported_again_and_taken_back(
    import_harness: ImportHarness, world: World, worker_harness: WorkerHarness, qikbiz: Command, people: Path
) -> None:
    _forget_what_others_left(import_harness)
    worker_harness.worker("imports")
    base = (
        "import",
        "--tenant",
        import_harness.tenant.slug,
        "--type",
        "contacts",
        "--key",
        "email",
        "--mode",
        "upsert",
        "--instruction",
        WORDS,
    )
    code, said, errors = in_a_process(world.settings.home, *base, str(people))
    assert code == 0, errors
    assert set(said) >= {"import", "rows", "created", "updated", "unchanged", "invalid", "seconds", "failed_file"}
    assert [said[name] for name in ("rows", "created", "updated", "unchanged", "invalid")] == [2, 1, 0, 0, 1]
    assert "Columns not imported: Shoe size" in errors
    failed = Path(said["failed_file"])
    header, row = list(csv.reader(failed.read_text("utf-8-sig").splitlines()))
    assert header == [*HEADER, "Why it was not imported", "The line as it was"]
    assert row[:4] == BAD and "is not an email address" in row[4]

    failed.write_text(failed.read_text("utf-8-sig").replace("nobody,", "bad@example.com,"))
    code, mended, errors = qikbiz(*base, str(failed))
    assert (code, mended["created"], mended["failed_file"]) == (0, 1, None), errors

    code, again, errors = qikbiz(*base, str(people))
    assert (code, again["import"], again["created"], again["repeated"]) == (0, said["import"], 1, True)
    assert "imported before" in errors
    assert len(import_harness.records()) == 2

    code, undone, errors = qikbiz(
        "undo-import", mended["import"], "--tenant", import_harness.tenant.slug, "--instruction", WORDS
    )
    assert (code, undone["reversed"], undone["kept"], undone["failed"]) == (0, 1, 0, 0), errors
    assert import_harness.only().email == "ann@example.com"

    with import_harness.at_work():
        events = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "import.applied")).all()
        assert {(event.actor_kind, event.details["instruction"][10:]) for event in events} == {("staff", WORDS)}
        with control_transaction() as control:
            found = control.scalars(
                select(PlatformAuditEvent).where(PlatformAuditEvent.tenant_id == import_harness.tenant.id)
            )
            assert [event.action for event in found if event.action.startswith("import.")].count("import.asked") == 3


def _forget_what_others_left(import_harness: ImportHarness) -> None:
    # Announcements of jobs that tests did themselves, at which a worker would look in vain; and workers that were
    # killed, whose names are in Redis for another minute and a half.
    with import_harness.app.app_context(), queue_store().client() as client:
        client.flushdb()


def test_what_can_not_be_done_is_said_in_one_sentence(
    import_harness: ImportHarness, qikbiz: Command, people: Path, tmp_path: Path
) -> None:
    latin = tmp_path / "latin.csv"
    latin.write_bytes("Name,Email\nJosé,j@example.com\n".encode("cp1252"))
    base = ("import", "--tenant", import_harness.tenant.slug, "--instruction", WORDS)
    for words, saying in (
        ((*base[:3], "--instruction", "  ", str(people)), "Use --grant with the customer's access"),
        ((*base, str(latin)), "--encoding cp1252"),
        ((*base, "--map", "Nowhere=email", str(people)), "The file has no column “Nowhere”"),
        ((*base, "--map", "Shoe size=shoes", str(people)), "have no field 'shoes'"),
    ):
        code, said, errors = qikbiz(*words)
        assert code == 1 and saying in said["error"], (said, errors)
    code, _, errors = qikbiz("import", "--tenant", import_harness.tenant.slug, str(people))
    assert code == 2 and "--instruction" in errors
    assert import_harness.records() == []


def test_the_row_of_the_headings_can_be_named(import_harness: ImportHarness) -> None:
    text = "Name;Email\nMade on;2026-11-01\nFirst name;Email\nAnn;ann@example.com\n"
    for choices, header in (
        (importing.Choices(delimiter=";", header_row=3), ["First name", "Email"]),
        (importing.Choices(delimiter=";", header_row=1), ["Name", "Email"]),
        (importing.Choices(delimiter=";"), ["Name", "Email"]),
    ):
        import_id = import_harness.upload(text)
        with import_harness.at_work():
            found = import_for_changing(import_id)
            importing._settle_format(found, choices)
            assert found.header == header
    import_id = import_harness.upload(text)
    with import_harness.at_work(), pytest.raises(UnreadableFile, match="no such row"):
        importing._settle_format(import_for_changing(import_id), importing.Choices(header_row=9))


def test_a_missing_worker_is_named(
    import_harness: ImportHarness, world: World, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forget_what_others_left(import_harness)
    monkeypatch.setattr(importing, "PATIENCE", 0.3)
    choices = importing.Choices()
    with pytest.raises(Exception, match="No import worker is running"):
        importing.import_for_customer(
            world.settings,
            import_harness.tenant.slug,
            people,
            choices,
            authority=Authority(instruction=WORDS),
            watch=lambda *_: None,
            say=lambda _: None,
        )
