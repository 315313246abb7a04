"""A full disk or a used-up quota at any step is one sentence, and nothing is left behind."""

import errno
import io
import logging
import re
from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from provisioning.cli.errors import sentence_for
from qikbiz.app import error_handlers
from qikbiz.jobs import queries
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.full_disks import SENTENCE, is_disk_full
from tests.exports.conftest import ExportHarness
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workers import job_retries


def parts(world: World) -> list[str]:
    return [path.name for path in world.settings.files.rglob("*.part")]


@pytest.mark.parametrize("point", ["file.write", "file.before_sync"])
def test_an_upload_onto_a_full_disk_is_507_and_leaves_nothing(
    client_for: Callable[[str], Browser], world: World, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    browser = client_for("alice")
    (import_id,) = re.findall(r'name="import_id" value="([^"]+)"', browser.get("/imports/new").text)
    file = (io.BytesIO(b"Email\na@x.example\n"), "people.csv")
    monkeypatch.setenv("QIKBIZ_FAULT", f"{point}=full")
    page = browser.post("/imports/", {"import_id": import_id, "type": "contacts", "file": file})
    assert page.status_code == 507
    assert "The disk is full" in page.text and "error on our side" not in page.text.lower()
    assert parts(world) == []


def test_an_export_and_its_job_say_so_too(
    export_harness: ExportHarness, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = export_harness.ask()
    monkeypatch.setenv("QIKBIZ_FAULT", "file.write=full")
    export_harness.make_now(export)
    monkeypatch.delenv("QIKBIZ_FAULT")
    with tenant_transaction(export_harness.tenant):
        job = queries.job(export.job_id)
        assert job is not None and (job.state, "enough disk space" in job.error_text) == ("failed", True)
    assert parts(world) == []


def test_it_is_known_by_whatever_says_it(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    full, quota = OSError(errno.ENOSPC, "No space"), OSError(errno.EDQUOT, "Quota")
    of_postgres = psycopg.errors.DiskFull("could not extend file")
    wrapped = OperationalError("INSERT", {}, of_postgres)
    chained = RuntimeError("while writing")
    chained.__cause__ = full
    for error in (full, quota, of_postgres, wrapped, chained):
        assert is_disk_full(error), error
        assert job_retries._plain_text(error) == SENTENCE
    for other in (OSError(errno.ENOENT, "x"), OperationalError("SELECT", {}, psycopg.OperationalError("away")), None):
        assert not is_disk_full(other)
    with app.test_request_context("/", base_url="http://acme.localhost:8000"), caplog.at_level(logging.ERROR):
        for error, handler in (
            (wrapped, error_handlers.on_database_away),
            (full, error_handlers.on_bug),
            (of_postgres, error_handlers.on_bug),
        ):
            assert handler(error).status_code == 507  # type: ignore[union-attr]
    assert {record.message for record in caplog.records} == {"disk_full"}
    assert sentence_for(OSError(errno.ENOSPC, "No space", "/srv/x")).startswith("The disk that holds /srv/x is full.")
    assert "disk is full" in sentence_for(of_postgres)
