"""The pages' files: made from pinned packages, named by their content, cached without an end."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from provisioning import assets
from qikbiz.kernel.accents import ACCENTS
from qikbiz.web.assets import AssetsNotBuilt, asset_url, manifest

ROOT = assets.ROOT


def test_the_lock_names_no_address_to_download_from() -> None:
    lock = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    # Where a package's authors can be supported; its archive is nowhere.
    funding = [package.get("funding", {}).get("url") for package in json.loads(lock)["packages"].values()]
    assert sorted(re.findall(r"https?://[^\"]*", lock)) == sorted(url for url in funding if url)


def test_every_package_is_pinned_to_one_version_with_its_hash() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert all("integrity" in package for path, package in locked.items() if path)


def test_every_name_of_the_manifest_is_a_file_with_its_compressed_twins(built_assets: Path) -> None:
    for name in manifest().values():
        file = built_assets / name
        assert file.is_file()
        if file.suffix in assets.COMPRESSIBLE:
            assert gzip.decompress(file.with_name(name + ".gz").read_bytes()) == file.read_bytes()
            assert file.with_name(name + ".br").stat().st_size < file.stat().st_size


def test_building_again_does_nothing(built_assets: Path) -> None:
    assert assets.build() is False


def test_there_is_a_favicon_for_every_accent(built_assets: Path) -> None:
    assert {f"favicon-{name}.svg" for name in ACCENTS} <= set(manifest())


def test_the_style_sheet_and_the_scripts_stay_small(built_assets: Path) -> None:
    sizes = {name: (built_assets / f"{manifest()[name]}.br").stat().st_size for name in ("app.css", "app.js")}
    assert sizes["app.css"] < 15_000
    assert sizes["app.js"] < 25_000


def test_our_style_sheet_needs_nothing_that_the_content_policy_forbids(built_assets: Path) -> None:
    sheet = (built_assets / manifest()["app.css"]).read_text()
    assert "data:" not in sheet
    assert "http" not in re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)


@pytest.mark.parametrize(("accepted", "encoding"), [("br, gzip", "br"), ("gzip", "gzip"), ("", None), ("br;q=0", None)])
def test_a_file_comes_compressed_as_the_browser_can_read_it(
    visitor: FlaskClient, accepted: str, encoding: str | None
) -> None:
    response = visitor.get(asset_url("app.css"), headers={"Accept-Encoding": accepted})
    assert response.status_code == 200
    assert response.headers.get("Content-Encoding") == encoding
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert int(response.headers["Content-Length"]) == len(response.data)


def test_files_are_served_on_every_host_even_one_that_nobody_has(visitor: FlaskClient) -> None:
    for host in ("localhost", "console.localhost", "nobody.localhost", "elsewhere.example"):
        assert visitor.get(asset_url("app.js"), headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/manifest.json",
        "/static/stamp",
        "/static/../assets.py",
        "/static/%2e%2e/assets.py",
        "/static/x",
    ],
)
def test_nothing_but_what_was_built_is_served(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_files_are_only_read(visitor: FlaskClient) -> None:
    assert visitor.post(asset_url("app.css")).status_code == 404


def test_a_missing_build_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("qikbiz.web.assets.DIST", tmp_path)
    with pytest.raises(AssetsNotBuilt, match="make assets"):
        asset_url("app.css")


def test_a_changed_source_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = assets.inputs_fingerprint()
    monkeypatch.setattr(assets, "SOURCES", assets.SOURCES / "css")
    assert assets.inputs_fingerprint() != before
