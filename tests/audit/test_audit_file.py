"""The audit as a file: asked for at its page, made by a worker, checked with nothing but the file."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from provisioning.cli.audit import verify as verify_command
from qikbiz.audit.actions import record
from qikbiz.audit.models import AuditEvent
from qikbiz.audit.queries import newest_link
from qikbiz.audit.verify import MEMBER, NotAnAudit, verify
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import tenant_transaction
from qikbiz.transfer.exports.actions import ask_for_export, file_of
from qikbiz.transfer.exports.audit_file import AUDIT
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.restore import restore_archive
from qikbiz.transfer.exports.selection import Selection
from tenants.context import Tenant
from tests.fixtures.people import Person
from tests.fixtures.world import Organisation
from workers.run_job import perform


def made_by(organisation: Organisation, tmp_path: Path, name: str = "alice") -> Path:
    """Alice presses the button, a worker makes the file, she fetches it."""
    answer = organisation.browser(name).post("/audit/exports")
    assert answer.status_code == 303, answer.text
    export_id = answer.location.rpartition("/")[2]
    with tenant_transaction(organisation.tenant) as session:
        job_id = session.get_one(Export, export_id).job_id
    assert job_id and perform(organisation.tenant.id, job_id) == "done"
    page = organisation.browser(name).get(f"/exports/{export_id}")
    assert "audit.jsonl" in page.text
    path = tmp_path / "audit.zip"
    with tenant_transaction(organisation.tenant) as session:
        path.write_bytes(b"".join(file_of(session.get_one(Export, export_id)).read()))
    return path


def plain(path: Path, zipped: Path) -> Path:
    """The lines alone."""
    path.write_bytes(zipfile.ZipFile(zipped).read(MEMBER))
    return path


@pytest.fixture
def file(organisation: Organisation, tmp_path: Path) -> Path:
    ann = organisation.add_contact(first_name="Ann", last_name="Lée", email="ann@example.com")
    organisation.browser("ben").post(
        f"/contacts/{ann}/fields/city", {"version": "1", "was": "", "city": "Graz \U0001f642"}
    )
    return made_by(organisation, tmp_path)


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(verify_command, [str(one) for one in arguments])


@pytest.mark.promise("P6")
def test_a_file_just_made_is_whole_zipped_or_plain(organisation: Organisation, file: Path, tmp_path: Path) -> None:
    for one in (file, plain(tmp_path / "audit.jsonl", file)):
        report = verify(one)
        assert (report.fault, report.organisation) == ("", organisation.tenant.name)
        assert report.events > 5 and report.first_at < report.last_at
        answer = run(one, "--json")
        assert answer.exit_code == 0
        assert json.loads(answer.stdout)["head"] == {"seq": report.head[0], "hash": report.head[1]}


@pytest.mark.promise("P6")
def test_the_checker_in_the_zip_needs_only_python(file: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "out")
    command = [sys.executable, "-I", "verify.py"]
    found = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert "This audit is whole." in found.stdout
    lines = (tmp_path / "out" / MEMBER).read_text().replace("Graz", "Linz")
    (tmp_path / "out" / MEMBER).write_text(lines)
    found = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True, check=False)
    assert found.returncode == 1 and "its subject or its details were changed" in found.stdout


@pytest.mark.promise("P6")
def test_the_fingerprint_on_the_page_is_that_of_a_file_made_later(
    organisation: Organisation, file: Path, tmp_path: Path
) -> None:
    with tenant_transaction(organisation.tenant):
        newest = newest_link()
    assert newest is not None
    noted = f"{newest[0]}:{newest[1]}"
    assert noted in organisation.browser("alice").get("/audit").text
    organisation.add_contact(first_name="Bo")
    later = made_by(organisation, tmp_path)
    assert run(later, "--head", noted).exit_code == 0
    wrong = run(later, "--head", f"{newest[0]}:{'0' * 64}")
    assert wrong.exit_code == 1 and "the event that you noted" in wrong.stdout
    assert run(file, "--head", "no. 7").exit_code == 1


@pytest.mark.promise("P6")
def test_asking_and_fetching_are_in_the_audit_and_need_the_rights(
    organisation: Organisation, file: Path, client_for: Callable[[str], Any]
) -> None:
    with tenant_transaction(organisation.tenant) as session:
        events = list(session.execute(select(AuditEvent.action, AuditEvent.subject)))
        export_id = session.scalars(select(Export.id)).one()
    assert ("export.asked", "audit") in events and ("export.ready", "audit") in events
    for name in ("ben", "bob"):
        assert organisation.browser(name).post("/audit/exports").status_code == 403
        assert organisation.browser(name).get(f"/exports/{export_id}").status_code == 403
    assert client_for("mallory").get(f"/exports/{export_id}").status_code == 404
    assert organisation.browser("alice").get("/audit/exports").status_code == 405


@pytest.mark.promise("P6")
def test_whoever_may_export_lists_but_not_read_the_audit_does_not_get_it(
    organisation: Organisation, file: Path
) -> None:
    from qikbiz.identity.accounts.models import User
    from qikbiz.identity.roles.models import OwnRole
    from qikbiz.kernel.rights import Rights

    with organisation.work() as session:
        role = OwnRole(name="Sales", folded_name="sales", rights=Rights.of(see="all", export="all").as_json())
        session.add(role)
        session.flush()
        session.get_one(User, organisation.people["ben"].id).roles = [role.key]
        export_id = session.scalars(select(Export.id)).one()
    ben = organisation.log_in(organisation.people["ben"])
    assert ben.get(f"/exports/{export_id}").status_code == 404
    assert ben.get(f"/exports/{export_id}/file").status_code in (303, 404)
    assert str(export_id) not in ben.get("/exports").text
    assert ben.post("/exports/", {"scope": "audit", "product": "audit"}).status_code == 404


def test_a_double_click_makes_one_file(organisation: Organisation) -> None:
    form = {"export_id": "01990000-0000-7000-8000-000000000001"}
    answers = {organisation.browser("alice").post("/audit/exports", form).location for _ in range(2)}
    assert len(answers) == 1


# What an attacker might do to the lines of a file.
Lines = list[dict[str, Any]]


def written(path: Path, lines: Lines) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lines]:
    """Filled by the first example: the lines of a real file."""
    return {}


def other(value: Any, draw: st.DataObject) -> Any:
    """Something of the same kind, and yet not the same."""
    if isinstance(value, bool) or value is None:
        return draw.draw(st.sampled_from(["", "x", 0, []]))
    if isinstance(value, int):
        return value + draw.draw(st.integers(1, 10**6)) * draw.draw(st.sampled_from([1, -1]))
    if isinstance(value, dict):
        return {**value, "x": draw.draw(st.integers() | st.text(max_size=5))}
    if len(value) > 4 and draw.draw(st.booleans()):
        place = draw.draw(st.integers(0, len(value) - 1))
        flipped = value[place].swapcase() if value[place].swapcase() != value[place] else chr(ord(value[place]) ^ 1)
        return value[:place] + flipped + value[place + 1 :]
    return value + draw.draw(st.text(st.characters(codec="utf-8"), min_size=1, max_size=3))


@pytest.mark.promise("P6")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_any_change_removal_addition_or_move_is_found(
    organisation: Organisation, tmp_path: Path, sample: dict[str, Lines], draw: st.DataObject
) -> None:
    if not sample:
        organisation.add_contact(first_name="Ann", last_name="Lée", email="ann@example.com")
        with organisation.work():
            for number in range(6):
                record("test.done", subject=f"{number}", details={"n": number, "list": [None, True]})
        text = zipfile.ZipFile(made_by(organisation, tmp_path)).read(MEMBER).decode()
        sample["lines"] = [json.loads(line) for line in text.splitlines()]
        assert verify(written(tmp_path / "a.jsonl", sample["lines"])).is_whole
    lines = json.loads(json.dumps(sample["lines"]))
    place = draw.draw(st.integers(1, len(lines) - 1), "line")
    match draw.draw(st.sampled_from(["change", "remove", "insert", "swap", "cut", "drop", "add"]), "act"):
        case "change":
            name = draw.draw(st.sampled_from(sorted(lines[place])), "field")
            lines[place][name] = other(lines[place][name], draw)
        case "remove":
            del lines[place]
        case "insert":
            lines.insert(place, dict(draw.draw(st.sampled_from(lines[1:]))))
        case "swap":
            second = draw.draw(st.integers(1, len(lines) - 1).filter(lambda one: one != place))
            lines[place], lines[second] = lines[second], lines[place]
        case "cut":
            del lines[place:]
        case "drop":
            del lines[place][draw.draw(st.sampled_from(sorted(lines[place])))]
        case "add":
            lines[place]["note"] = "harmless"
    assert not verify(written(tmp_path / "b.jsonl", lines)).is_whole


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\n", "no audit"),
        (b"\xff\xfe\x00", "no audit"),
        (b"PK\x05\x06" + bytes(18), "holds no audit.jsonl"),
        (b'{"format": "qikbiz-export"}\n', "no audit"),
        (b'{"format": "qikbiz-audit", "format_version": 2}\n', "newer program"),
        (b'{"format": "qikbiz-audit", "format_version": 1, "organisation": 7, "chains": []}\n', "no audit"),
        (b'["format"]\n', "no audit"),
        (b"[" * 100_000, "no audit"),
        (b"1" * 5_000, "no audit"),
    ],
)
def test_rubbish_gets_a_clear_answer(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "rubbish"
    path.write_bytes(content)
    with pytest.raises(NotAnAudit, match=why):
        verify(path)
    answer = run(path)
    assert answer.exit_code == 1 and why in answer.stderr and "Traceback" not in answer.stderr


HEADER = b'{"format": "qikbiz-audit", "format_version": 1, "organisation": {"id": "x", "name": "X"}, "chains": []}\n'


@pytest.mark.promise("P6")
@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"a": 1, "a": 2}',
        b'{"seq": NaN}',
        b'{"seq": 1.5}',
        b"[" * 100_000,
        b"\xff",
        b'{"seq": ' + b"1" * 5_000 + b"}",
    ],
)
def test_a_line_that_is_no_event_is_a_fault_with_its_place(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(HEADER + line + b"\n")
    report = verify(path)
    assert report.fault and report.at_event == "line 2"
    answer = run(path)
    assert answer.exit_code == 1 and "line 2" in answer.stdout


def test_a_damaged_zip_is_said_to_be_damaged(file: Path, tmp_path: Path) -> None:
    content = bytearray(file.read_bytes())
    content[400:440] = bytes(40)
    path = tmp_path / "damaged.zip"
    path.write_bytes(content)
    with pytest.raises(NotAnAudit, match="damaged"):
        verify(path)


def test_half_a_surrogate_in_a_line_is_a_fault(file: Path, tmp_path: Path) -> None:
    lines = zipfile.ZipFile(file).read(MEMBER).decode().splitlines()
    event = json.loads(lines[1])
    event["subject"] = "HALF"
    lines[1] = json.dumps(event).replace("HALF", "\\ud800")
    path = tmp_path / "half.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert verify(path).fault == "it holds what no event can"


@pytest.mark.promise("P6")
def test_an_event_whose_contents_are_erased_is_whole_and_one_that_lies_about_it_is_not(
    file: Path, tmp_path: Path
) -> None:
    lines = [json.loads(line) for line in zipfile.ZipFile(file).read(MEMBER).decode().splitlines()]
    place = next(n for n, line in enumerate(lines) if line.get("action") == "contact.created")
    lines[place].update(salt=None, subject="", details={})
    report = verify(written(tmp_path / "erased.jsonl", lines))
    assert report.is_whole and report.erased == 1
    lines[place]["subject"] = "Eve"
    assert "marked as erased" in verify(written(tmp_path / "lie.jsonl", lines)).fault


@pytest.mark.promise("P6")
def test_a_beginning_that_is_missing_needs_an_event_that_vouches_for_the_cut(
    organisation: Organisation, tmp_path: Path
) -> None:
    for number in range(5):
        organisation.add_company(f"Company {number}")
    with tenant_transaction(organisation.tenant) as session:
        cut = session.scalars(select(AuditEvent).where(AuditEvent.seq == 3)).one()
    whole = made_by(organisation, tmp_path)
    lines = [json.loads(line) for line in zipfile.ZipFile(whole).read(MEMBER).decode().splitlines()]
    lines[0]["chains"][0]["events"] -= 3
    fault = verify(written(tmp_path / "cut.jsonl", [lines[0], *lines[4:]])).fault
    assert "no event says that it was trimmed" in fault
    with organisation.work():
        record("audit.trimmed", details={"chain": str(cut.chain), "seq": cut.seq, "hash": cut.hash.hex()})
    whole = made_by(organisation, tmp_path)
    lines = [json.loads(line) for line in zipfile.ZipFile(whole).read(MEMBER).decode().splitlines()]
    lines[0]["chains"][0]["events"] -= 3
    assert verify(written(tmp_path / "trimmed.jsonl", [lines[0], *lines[4:]])).is_whole
    trimmed = tmp_path / "trimmed.jsonl"
    assert verify(trimmed, (cut.seq, cut.hash.hex())).is_whole
    assert "trimmed away since" in verify(trimmed, (cut.seq - 1, "0" * 64)).fault
    assert "is not in this audit" in verify(trimmed, (10**6, "0" * 64)).fault
    lines[0]["chains"][0]["events"] -= 1
    assert not verify(written(tmp_path / "more.jsonl", [lines[0], *lines[5:]])).is_whole


@pytest.mark.promise("P6")
def test_a_restored_audit_stands_beside_the_new_one_and_both_are_whole(
    organisation: Organisation, tmp_path: Path, make_tenant: Callable[..., Tenant], add_person: Callable[..., Person]
) -> None:
    organisation.add_contact(first_name="Ann")
    answer = organisation.browser("alice").post("/exports/", {"scope": "everything", "product": "portable"})
    archive = fetched(organisation.tenant, answer.location.rpartition("/")[2], tmp_path / "archive.zip")
    elsewhere = make_tenant("Elsewhere")
    with tenant_transaction(elsewhere):
        restore_archive(archive)
    carol = add_person(elsewhere, "Carol", "administrator")
    with acting_as(Actor("user", carol.id, carol.name)), tenant_transaction(elsewhere):
        asked = ask_for_export(Selection(AUDIT, AUDIT))
    report = verify(fetched(elsewhere, str(asked.id), tmp_path / "audit.zip"))
    assert report.fault == ""
    assert set(report.chains) == {str(organisation.tenant.id), str(elsewhere.id)}
    assert report.own == str(elsewhere.id) and report.chains[str(organisation.tenant.id)].events > 3


def fetched(tenant: Tenant, export_id: str, path: Path) -> Path:
    with tenant_transaction(tenant) as session:
        job_id = session.get_one(Export, export_id).job_id
    assert job_id and perform(tenant.id, job_id) == "done"
    with tenant_transaction(tenant) as session:
        path.write_bytes(b"".join(file_of(session.get_one(Export, export_id)).read()))
    return path
