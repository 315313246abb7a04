"""What the program is made of, as a CycloneDX 1.6 document: every pinned package with version, purl and hashes.

`python -m provisioning.sbom [FILE]` writes it (build/sbom.cdx.json). It says only what the lock files say.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "build" / "sbom.cdx.json"
_PACKAGE = re.compile(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)((?:.*\\\n)?(?: +--hash=.*\n)*)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# npm's names of digests, as CycloneDX calls them.
_DIGESTS = {"sha512": "SHA-512", "sha384": "SHA-384", "sha256": "SHA-256", "sha1": "SHA-1"}


def document(root: Path = ROOT) -> dict[str, Any]:
    """The same for the same lock files: no time and no chance in it."""
    components = [*_of_python(root), *_of_npm(root)]
    listed = json.dumps(components, sort_keys=True)
    product = {"type": "application", "bom-ref": "qikbiz-crm", "name": "qikbiz-crm", "version": version("qikbiz-crm")}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, listed)}",
        "version": 1,
        "metadata": {"component": product},
        "components": components,
    }


def _of_python(root: Path) -> Iterator[dict[str, Any]]:
    """What is installed to run it, with every extra; the tools of developers are no part of the program."""
    for name, pinned, rest in _PACKAGE.findall((root / "requirements-run.txt").read_text(encoding="utf-8")):
        purl = f"pkg:pypi/{canonicalize_name(name)}@{quote(pinned)}"
        # One for each file that may be installed, by platform.
        hashes = [{"alg": "SHA-256", "content": content} for content in sorted(set(_HASH.findall(rest)))]
        yield _component(canonicalize_name(name), pinned, purl, hashes)


def _of_npm(root: Path) -> Iterator[dict[str, Any]]:
    packages = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for path, about in sorted(packages.items()):
        if not path or "version" not in about:
            continue
        name = about.get("name") or path.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{quote(name, safe='/')}@{quote(about['version'])}"
        algorithm, _, digest = str(about.get("integrity", "")).partition("-")
        hashes = [{"alg": _DIGESTS[algorithm], "content": base64.b64decode(digest).hex()}] if digest else []
        yield _component(name, about["version"], purl, hashes)


def _component(name: str, pinned: str, purl: str, hashes: list[dict[str, str]]) -> dict[str, Any]:
    return {"type": "library", "bom-ref": purl, "name": name, "version": pinned, "purl": purl, "hashes": hashes}


def main(arguments: list[str]) -> int:
    target = Path(arguments[0]) if arguments else TARGET
    target.parent.mkdir(parents=True, exist_ok=True)
    made = document()
    target.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(f"{len(made['components'])} packages are listed in {target}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
