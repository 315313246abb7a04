"""Check an export of QikBiz: every file's SHA-256, size and number of rows against manifest.json.

    python verify.py                 in the folder where the zip was unpacked
    python verify.py EXPORT.zip      the zip itself

Ends with 0 when all is well, 1 when something differs, 2 when there is nothing to check. Needs only Python 3.8.
"""

import csv
import hashlib
import io
import json
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

Open = Callable[[str], IO[bytes]]
MANIFEST = "manifest.json"
BLOCK = 1 << 20
BESIDE = {MANIFEST, "OPEN-ME-FIRST.txt", "verify.py"}


def verify(place: Path) -> tuple[dict[str, Any], list[str]]:
    """The manifest of a zip or folder, and what is wrong with it; nothing when it is whole.

    Raises OSError, ValueError, KeyError or zipfile.BadZipFile when it is no export at all.
    """
    if place.is_dir():
        return _verify(lambda name: (place / name).open("rb"), {path.name for path in place.iterdir()})
    with zipfile.ZipFile(place) as archive:
        return _verify(archive.open, set(archive.namelist()))


def _verify(opened: Open, names: "set[str]") -> tuple[dict[str, Any], list[str]]:
    with opened(MANIFEST) as file:
        manifest = json.load(file)
    listed = {entry["name"] for entry in manifest["files"]}
    problems = [f"{name}: not in the manifest" for name in sorted(names - listed - BESIDE) if name.endswith(".csv")]
    for entry in manifest["files"]:
        problems += [f"{entry['name']}: {problem}" for problem in _problems(entry, opened)]
    if sum(entry["rows"] for entry in manifest["files"]) != manifest["totals"]["rows"]:
        problems.append("The rows of the files do not add up to the total.")
    return manifest, problems


def _problems(entry: dict[str, Any], opened: Open) -> list[str]:
    try:
        with opened(entry["name"]) as file:
            found = _digest(file)
        if found != (entry["sha256"], entry["bytes"]):
            return ["its content is not what was exported (SHA-256 differs)"]
        before = csv.field_size_limit(sys.maxsize)
        try:
            with opened(entry["name"]) as file:
                return _row_problems(entry, file)
        finally:
            # The limit is the whole process's, and others set theirs.
            csv.field_size_limit(before)
    except (OSError, EOFError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, csv.Error) as error:
        return [f"can't be read ({type(error).__name__})"]


def _digest(file: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while True:
        block = file.read(BLOCK)
        if not block:
            return digest.hexdigest(), size
        digest.update(block)
        size += len(block)


def _row_problems(entry: dict[str, Any], file: IO[bytes]) -> list[str]:
    rows = csv.reader(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""), strict=True)
    header = [column["heading"] for column in entry["columns"]]
    if next(rows, []) != header:
        return ["its headings are not those of the manifest"]
    count = 0
    for row in rows:
        count += 1
        if len(row) != len(header):
            return [f"row {count} has {len(row)} cells instead of {len(header)}"]
    return [] if count == entry["rows"] else [f"it has {count} rows instead of {entry['rows']}"]


def main(arguments: list[str]) -> int:
    place = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    try:
        manifest, problems = verify(place)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        print(f"{place} contains no export that can be checked: {error}")
        return 2
    for entry in manifest["files"]:
        print(f"{entry['name']:<32} {entry['rows']:>12,} rows  {entry['sha256'][:16]}")
    for problem in problems:
        print(f"PROBLEM  {problem}")
    print("All files match the export." if not problems else "This export is incomplete or changed.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
