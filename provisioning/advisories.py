"""Known weaknesses of the pinned packages: a lock of advisories in the repository, and what it says of the pins.

`python -m provisioning.advisories check` needs no network and ends with 1 when a pinned version is affected.
`refresh` asks OSV (https://osv.dev) for every advisory of every pinned package; `refresh --from FOLDER` reads a clone
of the Python advisory database (https://github.com/pypa/advisory-database) instead. Both write advisories.json.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from qikbiz.kernel.deadline import Deadline, OutOfTime
from qikbiz.kernel.http_client import OPERATORS_SERVICE, NotAnswered, fetch

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "advisories.json"
PYTHON_LOCKS = ("requirements.txt", "requirements-payments.txt", "requirements-run.txt", "requirements-dev.txt")
OSV = "https://api.osv.dev/v1/query"
_LONGEST_ANSWER = 64 * 1024 * 1024
OLD_AFTER_DAYS = 30
_PIN = re.compile(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)")
Range = tuple[str, str | None]
Pin = tuple[str, str, str]


@dataclass(frozen=True)
class Advisory:
    """`ranges` go from a version up to the one that fixes it (None: not fixed yet); `versions` are single ones."""

    id: str
    ecosystem: str
    package: str
    summary: str
    aliases: list[str] = field(default_factory=list)
    ranges: list[Range] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)

    def affects(self, version: str) -> bool:
        """A version that can't be compared counts as affected, so that a developer looks at it."""
        if version in self.versions:
            return True
        try:
            ours = Version(version)
            return any(_parsed(start) <= ours and (end is None or ours < _parsed(end)) for start, end in self.ranges)
        except InvalidVersion:
            return bool(self.ranges)

    @property
    def mended_in(self) -> str:
        ends = [end for _, end in self.ranges if end]
        return f"fixed in {ends[-1]}" if ends else "not fixed yet"


def pins(root: Path = ROOT) -> list[Pin]:
    """(ecosystem, name, version) of everything that the lock files pin."""
    found: set[Pin] = set()
    for name in PYTHON_LOCKS:
        for package, version in _PIN.findall((root / name).read_text(encoding="utf-8")):
            found.add(("PyPI", canonicalize_name(package), version))
    packages = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for path, about in packages.items():
        if path and "version" in about:
            found.add(("npm", about.get("name") or path.rpartition("node_modules/")[2], about["version"]))
    return sorted(found)


def findings(pinned: Iterable[Pin], advisories: Iterable[Advisory], accepted: dict[str, str]) -> list[str]:
    """A sentence for each pinned version that an advisory names, unless it was accepted with a reason."""
    by_package: dict[tuple[str, str], list[Advisory]] = {}
    for advisory in advisories:
        by_package.setdefault((advisory.ecosystem, advisory.package), []).append(advisory)
    return [
        f"{name} {version} is affected by {advisory.id} ({advisory.mended_in}): {advisory.summary}"
        for ecosystem, name, version in pinned
        for advisory in by_package.get((ecosystem, name), [])
        if advisory.affects(version) and not {advisory.id, *advisory.aliases} & accepted.keys()
    ]


def read(record: dict[str, Any], wanted: set[tuple[str, str]]) -> Iterator[Advisory]:
    """The advisories of the packages `wanted` in one record of OSV's format."""
    if record.get("withdrawn"):
        return
    for affected in record.get("affected", []):
        ecosystem = affected.get("package", {}).get("ecosystem", "")
        name = str(affected.get("package", {}).get("name", ""))
        name = canonicalize_name(name) if ecosystem == "PyPI" else name
        if (ecosystem, name) not in wanted:
            continue
        ranges = [each for kind in affected.get("ranges", []) if kind["type"] != "GIT" for each in _ranges(kind)]
        words = record.get("summary") or str(record.get("details", "")).strip().partition("\n")[0]
        yield Advisory(
            id=record["id"],
            ecosystem=ecosystem,
            package=name,
            summary=words[:160],
            aliases=sorted(record.get("aliases", [])),
            ranges=ranges,
            versions=[] if ranges else [str(version) for version in affected.get("versions", [])],
        )


def _ranges(kind: dict[str, Any]) -> Iterator[Range]:
    start: str | None = None
    for event in kind.get("events", []):
        if "introduced" in event:
            start = str(event["introduced"])
        elif start is not None and "fixed" in event:
            yield start, str(event["fixed"])
            start = None
    if start is not None:
        yield start, None


def _parsed(version: str) -> Version:
    return Version(version)


def _of_folder(folder: Path) -> Iterator[dict[str, Any]]:
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - a tool of developers

    for file in sorted((folder / "vulns").glob("*/*.yaml")):
        yield yaml.safe_load(file.read_text(encoding="utf-8"))


def _of_service(wanted: set[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    for ecosystem, name in sorted(wanted):
        token = ""
        while True:
            question = {"package": {"ecosystem": ecosystem, "name": name}, "page_token": token}
            found = json.loads(_asked(question))
            yield from found.get("vulns", [])
            token = found.get("next_page_token", "")
            if not token:
                break


def _asked(question: dict[str, Any]) -> bytes:
    written, json_type = json.dumps(question), {"Content-Type": "application/json"}
    answer = fetch(
        OSV, OPERATORS_SERVICE, Deadline(30), method="POST", body=written, headers=json_type, longest=_LONGEST_ANSWER
    )
    return answer.body


def refresh(folder: Path | None, *, as_of: str, lock: Path = LOCK, root: Path = ROOT) -> int:
    """Write the lock again; reasons for what was accepted stay. Returns how many advisories it holds."""
    wanted = {(ecosystem, name) for ecosystem, name, _ in pins(root)}
    records = _of_folder(folder) if folder else _of_service(wanted)
    found = {(each.id, each.package): each for record in records for each in read(record, wanted)}
    before = json.loads(lock.read_text(encoding="utf-8")) if lock.exists() else {}
    document = {
        "source": "Python advisory database (CC BY 4.0)" if folder else "OSV (osv.dev)",
        "ecosystems": ["PyPI"] if folder else ["PyPI", "npm"],
        "as_of": as_of,
        "accepted": before.get("accepted", {}),
        "advisories": [asdict(found[key]) for key in sorted(found)],
    }
    lock.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return len(found)


def load(lock: Path = LOCK) -> tuple[list[Advisory], dict[str, Any]]:
    document = cast(dict[str, Any], json.loads(lock.read_text(encoding="utf-8")))
    made = [
        Advisory(**(each | {"ranges": [tuple(pair) for pair in each["ranges"]]})) for each in document["advisories"]
    ]
    return made, document


def check() -> int:
    advisories, document = load()
    wrong = findings(pins(), advisories, document["accepted"])
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    days = (datetime.now(UTC).date() - date.fromisoformat(document["as_of"])).days
    if days > OLD_AFTER_DAYS:
        print(
            f"advisories.json is {days} days old; `make advisories` asks again where the network allows it.",
            file=sys.stderr,
        )
    print(f"{len(advisories)} advisories of {document['as_of']} compared with {len(pins())} pinned packages.")
    return 1 if wrong else 0


def main(arguments: list[str]) -> int:
    words = argparse.ArgumentParser(prog="python -m provisioning.advisories")
    words.add_argument("what", choices=["check", "refresh"])
    words.add_argument("--from", dest="folder", type=Path, help="a clone of the Python advisory database")
    words.add_argument("--as-of", default=datetime.now(UTC).date().isoformat(), help="the day of what FOLDER holds")
    given = words.parse_args(arguments)
    if given.what == "check":
        return check()
    try:
        print(f"{refresh(given.folder, as_of=given.as_of)} advisories are in {LOCK.name}.")
    except (OSError, NotAnswered, OutOfTime) as error:
        print(f"The advisories can't be asked for ({error}); {LOCK.name} stays as it was.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
