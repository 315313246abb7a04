"""The platform's audit as a file: fetched at its page or written by a command, checked with the file alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.audit_file import write_platform_audit
from qikbiz.audit.actions import record_on_platform
from qikbiz.audit.serialization import SALT_BYTES
from qikbiz.audit.verify import NotAnAudit, verify
from qikbiz.console.queries import newest_platform_link
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.errors import Conflict, Unavailable
from tests.fixtures.web import Browser
from tests.fixtures.world import World

pytestmark = pytest.mark.usefixtures("working")


def fetched(browser: Browser, path: Path) -> Path:
    answer = browser.post("/audit/file")
    assert answer.status_code == 200 and answer.headers["Content-Disposition"].startswith("attachment")
    path.write_bytes(answer.data)
    return path


def test_it_is_whole_and_goes_on_from_what_the_page_showed(
    client_for: Callable[[str], Browser], tmp_path: Path
) -> None:
    with control_transaction():
        record_on_platform("tenant.renamed", subject="acme", details={"from": "a", "to": "ä"})
    with control_transaction():
        shown = newest_platform_link()
    seq, _, digest = shown.partition(":")
    report = verify(fetched(client_for("olivia"), tmp_path / "audit.jsonl"), (int(seq), digest))
    assert report.is_whole, report.fault
    assert (report.organisation, report.events >= int(seq)) == ("the platform", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("actor_name", "Somebody else"),
        ("tenant_id", "00000000-0000-0000-0000-000000000001"),
        ("subject", "globex"),
        ("salt", "0" * 2 * SALT_BYTES),
        ("record_type", "contacts"),
    ],
)
def test_one_changed_event_is_found(
    client_for: Callable[[str], Browser], tmp_path: Path, name: str, value: str
) -> None:
    with control_transaction():
        record_on_platform("tenant.renamed", subject="acme")
    path = fetched(client_for("olivia"), tmp_path / "audit.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines()
    where = next(number for number, line in enumerate(lines) if '"tenant.renamed"' in line and '"acme"' in line)
    lines[where] = json.dumps(json.loads(lines[where]) | {name: value})
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = verify(path)
    assert not report.is_whole and f"line {where + 1}" in report.at_event


@pytest.mark.promise("P6")
def test_a_platform_s_event_in_a_tenant_s_file_is_no_event_of_it(
    client_for: Callable[[str], Browser], tmp_path: Path
) -> None:
    path = fetched(client_for("olivia"), tmp_path / "audit.jsonl")
    header, *events = path.read_text(encoding="utf-8").splitlines()
    told = json.loads(header)
    told["organisation"]["id"] = "00000000-0000-0000-0000-000000000001"
    path.write_text("\n".join([json.dumps(told), *events]) + "\n", encoding="utf-8")
    assert "not exactly the fields" in verify(path).fault


def test_support_can_t_fetch_it(client_for: Callable[[str], Browser]) -> None:
    assert client_for("sam").post("/audit/file").status_code == 403


def test_a_command_writes_it_whole_or_not_at_all(world: World, tmp_path: Path) -> None:
    path = tmp_path / "platform.jsonl"
    events = write_platform_audit(world.settings, path)
    assert verify(path).events == events > 0
    with pytest.raises(Conflict, match="there already"):
        write_platform_audit(world.settings, path)
    with pytest.raises(Unavailable, match="can't be written"):
        write_platform_audit(world.settings, tmp_path / "nowhere" / "platform.jsonl")
    assert [file.name for file in tmp_path.iterdir()] == ["platform.jsonl"]


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(NotAnAudit):
        verify(tmp_path / "empty")
