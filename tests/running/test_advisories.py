"""Pinned packages are compared with the advisories in the repository, and listed in a CycloneDX document."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from provisioning import advisories, sbom
from provisioning.advisories import Advisory, findings, load, pins, read, refresh

RECORD = {
    "id": "PYSEC-1",
    "aliases": ["CVE-1"],
    "summary": "Reads too much.",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Some.Package"},
            "ranges": [
                {"type": "GIT", "events": [{"introduced": "0"}]},
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "2.0"}]},
            ],
        },
        {"package": {"ecosystem": "npm", "name": "other"}, "versions": ["3.0.0"]},
    ],
}
PACKAGES = {("PyPI", "some-package"), ("npm", "other")}


def test_a_record_says_from_and_up_to_which_version() -> None:
    ours, other = read(RECORD, PACKAGES)
    assert [version for version in ("0.9", "1.2", "1.9.9", "2.0", "7") if ours.affects(version)] == ["0.9", "2.0", "7"]
    assert [version for version in ("2.9.0", "3.0.0") if other.affects(version)] == ["3.0.0"]
    assert ours.affects("not a version")
    assert not list(read(RECORD | {"withdrawn": "2026-01-01"}, PACKAGES))


def test_an_affected_pin_is_told_in_a_sentence_until_it_is_accepted_with_a_reason() -> None:
    found = list(read(RECORD, PACKAGES))
    pinned = [("PyPI", "some-package", "1.1"), ("npm", "other", "3.0.1"), ("npm", "some-package", "1.1")]
    assert findings(pinned, found, {}) == ["some-package 1.1 is affected by PYSEC-1 (fixed in 1.2): Reads too much."]
    assert findings(pinned, found, {"CVE-1": "We never read that much."}) == []


def test_nothing_that_is_pinned_is_known_to_be_affected() -> None:
    known, document = load()
    assert known
    assert findings(pins(), known, document["accepted"]) == []
    assert all(reason.strip() for reason in document["accepted"].values())


def test_the_check_can_fail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(advisories, "pins", lambda: [("PyPI", "werkzeug", "2.2.2")])
    assert advisories.main(["check"]) == 1
    assert "werkzeug 2.2.2 is affected by PYSEC-" in capsys.readouterr().err


def test_a_refresh_from_a_clone_keeps_what_was_accepted(tmp_path: Path) -> None:
    (tmp_path / "vulns/click").mkdir(parents=True)
    (tmp_path / "vulns/click/PYSEC-2.yaml").write_text(
        "id: PYSEC-2\ndetails: Bad.\naffected:\n- package: {name: click, ecosystem: PyPI}\n"
        "  ranges:\n  - {type: ECOSYSTEM, events: [{introduced: '0'}, {fixed: '1.0'}]}\n"
    )
    lock = tmp_path / "lock.json"
    lock.write_text('{"accepted": {"CVE-9": "It is not used."}}')
    assert refresh(tmp_path, as_of="2026-11-01", lock=lock) == 1
    (read_back,), document = load(lock)
    assert read_back == Advisory("PYSEC-2", "PyPI", "click", "Bad.", [], [("0", "1.0")], [])
    assert (document["accepted"], document["as_of"]) == ({"CVE-9": "It is not used."}, "2026-11-01")


def test_every_package_that_runs_is_in_the_bill_of_materials_with_its_hashes(tmp_path: Path) -> None:
    assert sbom.main([str(tmp_path / "sbom.json")]) == 0
    made = json.loads((tmp_path / "sbom.json").read_text())
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", made["serialNumber"])
    listed = {component["purl"] for component in made["components"]}
    pinned = re.findall(
        r"(?m)^([a-z0-9._-]+)(?:\[.*?\])?==([^\s;\\]+)", (sbom.ROOT / "requirements-run.txt").read_text()
    )
    assert {f"pkg:pypi/{name}@{version}" for name, version in pinned} <= listed
    assert len(listed) == len(made["components"]) > len(pinned)
    assert all(component["hashes"] for component in made["components"] if component["purl"].startswith("pkg:pypi/"))
    assert sbom.document() == made
