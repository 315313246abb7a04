"""One word for one thing: names that were given up stay away, and docs/GLOSSARY.md points at what exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RETIRED = (
    "added_up", "call_off_retrieval", "control_work", "done_again_after_a_collision", "doubt_after_commit",
    "doubt_now", "drive_closings", "drive_soon", "forget_counts", "forget_logins", "forget_notifications",
    "forget_standing", "half_login_at_hand", "is_believed", "lift_rule", "lift_standing", "note_access", "note_act",
    "note_away", "note_failed_login", "note_internally", "note_login", "note_login_act", "note_look", "note_page",
    "page_work", "ParseContext", "people_to_tell", "put_off", "realm_at_hand", "RecordRoom", "request_work",
    "require_reach", "search_patiently", "seen_type", "take_back_ours", "tell_administrators", "tell_children",
    "tell_tenant", "tenant_work", "told_policy", "trim_audit", "trim_audits", "Viewpoint", "within_reach",
)  # fmt: skip
RETIRED_MODULES = (
    "qikbiz.abuse", "qikbiz.access", "qikbiz.closing", "qikbiz.factors", "qikbiz.failures", "qikbiz.persons",
    "qikbiz.policy", "workers.wrapper", "workers.work", "accounts.times", "accounts.half_logins", "accounts.letters",
    "records.reach", "records.seen", "records.rooms", "imports.reading", "exports.making", "web.figures", "web.toasts",
    "provisioning.unreadable_cells",
)  # fmt: skip
# (file, word): why it may stand there.
ALLOWED = {
    ("platform/qikbiz/jobs/transport.py", "workers.wrapper"): "jobs announced before an update bear it",
}
THIS = Path(__file__).relative_to(ROOT).as_posix()


def tracked(*suffixes: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [ROOT / name for name in listed.splitlines() if name.endswith(suffixes) and name != THIS]
    return [path for path in found if path.exists()]


@pytest.mark.parametrize("words", [RETIRED, RETIRED_MODULES], ids=["names", "modules"])
def test_retired_names_stay_away(words: tuple[str, ...]) -> None:
    pattern = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, words))})(?![\w])")
    dotted = re.compile(rf"\b({'|'.join(re.escape(word) for word in words if '.' in word) or '(?!)'})\b(?!_)")
    found = {
        (path.relative_to(ROOT).as_posix(), match[1])
        for path in tracked(".py", ".md", ".toml", ".html", ".jinja")
        for match in (dotted if "." in words[0] else pattern).finditer(path.read_text(encoding="utf-8"))
    }
    assert found - set(ALLOWED) == set()


def test_the_glossary_points_at_what_exists() -> None:
    text = (ROOT / "docs" / "GLOSSARY.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert len(rows) >= 20
    for term, _, where in rows:
        places = re.findall(r"`([^`]+)`", where)
        folder = ""
        assert places, term
        for place in places:
            path = place if "/" in place else f"{folder}{place}"
            folder = path.rpartition("/")[0] + "/"
            path = f"platform/{path}" if path.startswith("qikbiz/") else path
            assert (ROOT / path).exists(), (term, place)
