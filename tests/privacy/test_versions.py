"""Versions of the statement as files: plain words, twenty promises, and never a day that is too early."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from qikbiz.trust.privacy.bundled_versions import (
    FOLDER,
    altered_files,
    bundled_statements,
    founding_statement,
    load_file,
)
from qikbiz.trust.privacy.diff import differences
from qikbiz.trust.privacy.text import NUMBERS, StatementRefused, read_file, read_text
from tests.fixtures.statements import changed_text

COUNTRIES = ("US", "DE", "GB")
OURS = sorted(FOLDER.glob("*.md"))


@pytest.mark.promise("P19")
@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_every_version_in_the_repository_may_be_loaded(path: Path) -> None:
    assert tuple(load_file(path, COUNTRIES).text.promises) == NUMBERS


def written_on(path: Path) -> date:
    """The day, in UTC, on which a file came into the repository; today while it is not in yet."""
    log = ["git", "log", "--diff-filter=A", "--follow", "--format=%cI", "--", path.name]
    committed = subprocess.run(log, cwd=path.parent, capture_output=True, text=True, check=False).stdout.split()
    moment = datetime.fromisoformat(committed[-1]) if committed else datetime.now(UTC)
    return moment.astimezone(UTC).date()


@pytest.mark.promise("P19")
@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_no_version_claims_to_be_announced_before_it_was_written(path: Path) -> None:
    file = read_file(path.read_text())
    assert file.version == 1 or file.announced_on >= written_on(path)


@pytest.mark.promise("P19")
def test_the_day_on_which_a_version_was_written_is_that_of_its_commit(folder: Path) -> None:
    def git(*arguments: str) -> None:
        day = {"GIT_COMMITTER_DATE": "2027-03-01T23:30:00-05:00", "PATH": os.environ["PATH"]}
        person = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        subprocess.run(["git", *person, *arguments], cwd=folder, env=day, capture_output=True, check=True)

    assert written_on(folder / "1.md") == datetime.now(UTC).date()
    git("init")
    git("add", "1.md")
    git("commit", "-m", "Write it")
    assert written_on(folder / "1.md") == date(2027, 3, 2)


@pytest.mark.promise("P19")
def test_a_file_that_takes_effect_twenty_nine_business_days_ahead_is_not_loaded(
    put_version: Callable[..., Path],
) -> None:
    path = put_version(2, days_early=1)
    with pytest.raises(StatementRefused, match="at the earliest"):
        load_file(path, COUNTRIES)
    bundled = bundled_statements(COUNTRIES)
    assert [file.version for file in bundled.statements] == [1]
    assert [name for name, _ in bundled.refused] == ["2.md"]
    assert load_file(put_version(2), COUNTRIES).version == 2


@pytest.mark.promise("P19")
def test_configured_countries_can_only_make_it_later(put_version: Callable[..., Path]) -> None:
    path = put_version(2)
    with pytest.raises(StatementRefused):
        load_file(path, (*COUNTRIES, "JP"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text.replace("---\n", "", 1), "head"),
        (lambda text: text.replace("material: true", "material: perhaps"), "true or false"),
        (lambda text: text.replace("version: 1", "version: one"), "number"),
        (lambda text: text.replace("version: 1\n", ""), "head must give"),
        (lambda text: text.replace("announced_on: ", "announced_on: x"), "no day"),
        (lambda text: text.replace("**P7.**", "**P8.**"), "twenty promises"),
        (lambda text: text.replace("**P20.** ", ""), "twenty promises"),
        (lambda text: text + "\n**P21.** One more.\n", "twenty promises"),
        (lambda text: text + "\n# Another title\n", "one title"),
        (lambda text: text + "\n<script>alert(1)</script>\n", "plain words"),
        (lambda text: text + "\nSee [here](https://evil.example).\n", "plain words"),
        (lambda text: text + "\n### Too deep\n", "plain words"),
    ],
)
def test_what_is_no_statement_is_refused_with_a_reason(change: Callable[[str], str], complaint: str) -> None:
    with pytest.raises(StatementRefused, match=complaint):
        read_file(change((FOLDER / "1.md").read_text()))


def test_a_file_is_named_for_its_version(folder: Path) -> None:
    (folder / "7.md").write_text((folder / "1.md").read_text())
    with pytest.raises(StatementRefused, match=r"name it 1\.md"):
        load_file(folder / "7.md", COUNTRIES)


@pytest.mark.promise("P19")
def test_a_file_with_other_words_than_announced_is_found(put_version: Callable[..., Path], folder: Path) -> None:
    put_version(2)
    announced = {1: founding_statement().text.sha256, 2: read_text(changed_text()).sha256}
    assert altered_files(bundled_statements(COUNTRIES).statements, announced) == []
    put_version(2, changed_text(ending=" We keep them for ever."))
    assert altered_files(bundled_statements(COUNTRIES).statements, announced) == [2]


@pytest.mark.promise("P19")
def test_a_difference_names_each_word_that_goes_or_comes() -> None:
    before = founding_statement().text
    source = before.source.replace("thirty business days", "forty business days").replace(
        "## Mail from us", "## Letters"
    )
    changed = [pair for pair in differences(before, read_text(source)) if pair.is_changed]
    assert [pair.block.number or pair.block.kind for pair in changed] == ["heading", "P19"]
    assert [(piece.kind, piece.text.strip()) for piece in changed[1].pieces if piece.kind != "same"] == [
        ("removed", "thirty"),
        ("added", "forty"),
    ]


@pytest.mark.promise("P19")
def test_a_difference_puts_both_texts_together_again() -> None:
    before, after = founding_statement().text, read_text(changed_text("P12", " Always.") + "\nA last word.\n")
    pairs = differences(before, after)
    assert [pair.before for pair in pairs if pair.before] == list(before.blocks)
    assert [pair.after for pair in pairs if pair.after] == list(after.blocks)
    for pair in pairs:
        old, new = ("".join(piece.text for piece in side).split() for side in (pair.old, pair.new))
        assert old == (pair.before.text.split() if pair.before else [])
        assert new == (pair.after.text.split() if pair.after else [])


@pytest.mark.promise("P19")
def test_the_dates_of_the_founding_version_are_a_plan_like_any_other() -> None:
    assert founding_statement().announced_on <= founding_statement().effective_on < date(2100, 1, 1)


@pytest.mark.promise("P19")
def test_a_file_that_says_it_is_not_material_is_loaded_only_if_readers_see_the_same(
    put_version: Callable[..., Path], folder: Path
) -> None:
    source = (folder / "1.md").read_text().partition("\n---\n")[2].strip() + "\n"
    for body, is_loaded in (
        (source.replace("## Keeping data safe", "## What we no longer keep safe"), False),
        (source.replace("by nobody else", "by nobody, else"), False),
        (source.replace("by nobody else", "by\nnobody else"), True),
    ):
        put_version(2, body, material="false")
        found = bundled_statements(("US", "DE", "GB"), folder)
        assert (found.version(2) is not None) == is_loaded, found.refused
        assert is_loaded or "it is material" in found.refused[0][1]
