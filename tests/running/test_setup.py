"""What a fresh machine relies on: pinned packages with hashes, no download address, the goals that README names."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Each holds what the one before it does, and more.
LOCKS = ("requirements.txt", "requirements-payments.txt", "requirements-run.txt", "requirements-dev.txt")
EXTRAS = ((), ("payments",), ("payments", "embedded", "assets", "build"), ("dev",))


def pinned(lock: str) -> dict[str, str]:
    """Package name to the block of its pin."""
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text())
    return {re.split(r"==", block, maxsplit=1)[0]: block for block in blocks}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes_and_no_download_address(lock: str) -> None:
    for name, block in pinned(lock).items():
        assert re.match(r"[a-z0-9-]+==\S+", block), name
        assert "--hash=sha256:" in block, name
    assert "://" not in (ROOT / lock).read_text()


def test_every_declared_dependency_is_in_its_lock_and_the_locks_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {name_of(one) for one in project["dependencies"]}
    smaller: dict[str, str] = {}
    for lock, extras in zip(LOCKS, EXTRAS, strict=True):
        needed |= {name_of(one) for extra in extras for one in project["optional-dependencies"][extra]}
        versions = {name: version_of(block) for name, block in pinned(lock).items()}
        assert needed <= set(versions), lock
        assert smaller.items() <= versions.items(), lock
        smaller = versions


def test_a_server_with_databases_of_its_own_installs_no_servers_no_node_and_no_payments() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    optional = {name_of(one) for extra in ("embedded", "assets", "payments", "build") for one in extras[extra]}
    assert not optional & set(pinned("requirements.txt"))
    assert not (optional - {name_of(one) for one in extras["payments"]}) & set(pinned("requirements-payments.txt"))


def test_make_help_names_the_goals_that_people_are_told() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    goals = set(re.findall(r"^  make (\S+)", said, re.MULTILINE))
    assert {"help", "run", "setup", "test", "check", "fmt", "bench", "lock", "assets", "wheel", "clean"} <= goals


def test_ci_runs_exactly_what_people_run() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert script.rstrip().endswith("exec make check test")
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_a_python_that_is_too_old_or_missing_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    command = ["make", ".venv/bin/python", "PYTHON="]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "QikBiz needs Python 3.11 or newer" in done.stderr


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=~! ;]", requirement, maxsplit=1)[0]


def version_of(block: str) -> str:
    return block.split("==", 1)[1].split(maxsplit=1)[0]
