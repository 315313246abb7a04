"""`qikbiz export` and `qikbiz verify`, against real workers, exactly as scripts will use them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from qikbiz.audit.models import AuditEvent, PlatformAuditEvent
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.mail.models import Mail
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.verify import verify
from tests.exports.conftest import ExportHarness
from tests.fixtures.commands import in_a_process, in_here
from tests.fixtures.workers import WorkerHarness

WORDS = "Letter of Ann Lee, 3 November"


@pytest.fixture
def at_work(worker_harness: WorkerHarness, nothing_waits: None) -> Iterator[WorkerHarness]:
    worker_harness.worker("exports")
    worker_harness.sweeper()
    yield worker_harness


@pytest.fixture
def qikbiz(export_harness: ExportHarness) -> Callable[..., tuple[int, dict[str, Any], str]]:
    return partial(in_here, export_harness.store.root.parent)


def test_support_exports_on_a_customers_instruction(
    export_harness: ExportHarness, at_work: WorkerHarness, qikbiz: Callable[..., Any], tmp_path: Path
) -> None:
    assert at_work
    export_harness.add(first_name="Ann")
    output = tmp_path / "acme.zip"
    words = ("export", "--tenant", export_harness.tenant.slug, "--instruction", WORDS, "--output", str(output))
    code, said, errors = in_a_process(export_harness.store.root.parent, *words)
    assert code == 0, errors
    assert set(said) >= {"export", "files", "bytes", "seconds"}
    assert said["bytes"] == output.stat().st_size
    assert {file["name"]: file["rows"] for file in said["files"]}["contacts.csv"] == 1
    manifest, problems = verify(output)
    assert problems == [] and manifest["instruction"].endswith(WORDS)
    assert [file["sha256"] for file in manifest["files"]] == [file["sha256"] for file in said["files"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acme.zip"]
    code, checked, _ = in_a_process(export_harness.store.root.parent, "verify", str(output))
    assert (code, checked["whole"]) == (0, True)


def test_the_customer_and_the_platform_both_see_it(
    export_harness: ExportHarness, at_work: WorkerHarness, qikbiz: Callable[..., Any], tmp_path: Path
) -> None:
    assert at_work
    words = (
        "export",
        "--tenant",
        export_harness.tenant.slug,
        "--instruction",
        WORDS,
        "--type",
        "contacts",
        "--product",
    )
    code, said, errors = qikbiz(*words, "spreadsheet", "--output", str(tmp_path / "list.zip"))
    assert code == 0, errors
    assert [file["name"] for file in said["files"]] == ["contacts.spreadsheet.csv"]
    with tenant_transaction(export_harness.tenant) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.record_type == "export")).all()
        assert [event.action for event in events] == ["export.asked", "export.ready", "export.downloaded"]
        assert all(event.details["instruction"].endswith(WORDS) and event.actor_kind == "staff" for event in events)
        assert session.scalars(select(Export)).one().instruction.endswith(WORDS)
        told = set(session.scalars(select(Mail.template).where(Mail.to_address == export_harness.alice.email)))
        assert told == {"instruction_recorded", "export_made", "export_downloaded_first"}
    with control_transaction() as control:
        about = PlatformAuditEvent.tenant_id == export_harness.tenant.id
        found = control.scalars(select(PlatformAuditEvent).where(about, PlatformAuditEvent.action.like("export.%")))
        assert [event.details["instruction"][10:] for event in found] == [WORDS, WORDS]


@pytest.mark.parametrize(
    ("changed", "saying"),
    [
        ({"--instruction": "  "}, "use --grant with the customer's access"),
        ({"--tenant": "nobody-knows"}, "no tenant"),
        ({"--type": "secrets"}, "no records called"),
        ({"--output": "/nowhere/at/all.zip"}, "existing folder"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_sentence(
    export_harness: ExportHarness, qikbiz: Callable[..., Any], tmp_path: Path, changed: dict[str, str], saying: str
) -> None:
    given = {
        "--tenant": export_harness.tenant.slug,
        "--instruction": WORDS,
        "--output": str(tmp_path / "x.zip"),
    } | changed
    code, said, errors = qikbiz("export", *(word for pair in given.items() for word in pair))
    assert code == 1 and saying in said["error"].lower() and "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_a_command_without_an_instruction_is_not_understood(
    export_harness: ExportHarness, qikbiz: Callable[..., Any]
) -> None:
    code, _, errors = qikbiz("export", "--tenant", export_harness.tenant.slug, "--output", "x.zip")
    assert code == 2 and "--instruction" in errors


def test_verify_tells_what_is_wrong(export_harness: ExportHarness, qikbiz: Callable[..., Any], tmp_path: Path) -> None:
    good, bad = export_harness.save(export_harness.make(), tmp_path / "good.zip"), tmp_path / "bad.zip"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            if name != "contacts.csv":
                target.writestr(name, source.read(name))
    code, said, _ = qikbiz("verify", str(bad))
    assert code == 1 and said["whole"] is False and "contacts.csv" in said["problems"][0]
    (tmp_path / "no.zip").write_bytes(b"no zip")
    assert qikbiz("verify", str(tmp_path / "no.zip"))[0] == 1
