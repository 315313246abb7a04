"""Features: what each adds is found, and one can be deleted with its folder and its line."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest

from qikbiz.app.features import FEATURES
from qikbiz.kernel import feature as features
from qikbiz.kernel.feature import Feature, NavigationEntry, NotInstalled
from qikbiz.messaging.mail.categories import categories_of_templates
from qikbiz.web.navigation import sidebars

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_whatever_a_feature_names_is_there(feature: Feature) -> None:
    named = [pages.blueprint for pages in feature.pages]
    for name in (*named, *feature.setup, *feature.models, *feature.evidence, *feature.hooks):
        assert resolve_name(name)


def test_every_package_with_a_feature_is_installed() -> None:
    found = {file.parent.name for file in (ROOT / "platform" / "qikbiz").rglob("feature.py")} - {"kernel"}
    assert found == {feature.name for feature in FEATURES}


def test_before_the_features_are_installed_nothing_is_derived_from_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_installed", ())
    for derived in (sidebars, categories_of_templates, features.load_models):
        with pytest.raises(NotInstalled):
            derived()


def test_two_features_that_want_the_same_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_installed", ())
    entry = NavigationEntry("tenant", 10, "a", "A", "home", "a.index")
    with pytest.raises(ValueError, match="Installed twice: one"):
        features.install((Feature("one"), Feature("one")))
    features.install((Feature("one", navigation=(entry,)), Feature("two", navigation=(entry,))))
    with pytest.raises(ValueError, match="want position 10"):
        sidebars()
    features.install((Feature("one", emails={"a": "security"}), Feature("two", emails={"a": "legal"})))
    with pytest.raises(ValueError, match="sent by two features"):
        categories_of_templates()


def test_a_hook_that_fails_leaves_nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that goes on after it must not take half of the registrations for all of them."""
    monkeypatch.setattr(features, "_installed", ())
    with pytest.raises(ZeroDivisionError):
        features.install((Feature("one", hooks=(f"{__name__}:fail",)),))
    with pytest.raises(NotInstalled):
        features.installed()


def fail() -> None:
    raise ZeroDivisionError


_LOOK = """
from config.settings import load_settings
from qikbiz.app.application import create_app
from qikbiz.kernel.models import tenant_metadata
app = create_app(load_settings())
pages = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("announcements.")]
print(len(pages), len(tenant_metadata().tables) > 20)
"""


def test_deleting_a_folder_and_its_line_deletes_the_feature(tmp_path: Path) -> None:
    def look() -> str:
        environment = {"PYTHONPATH": f"{tmp_path}/platform:{tmp_path}", "QIKBIZ_HOME": str(tmp_path / "var")}
        command = [sys.executable, "-c", _LOOK]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    for folder in ("platform", "tenants", "config", "provisioning"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert look().split()[0] != "0"
    shutil.rmtree(tmp_path / "platform" / "qikbiz" / "messaging" / "announcements")
    listed = tmp_path / "platform" / "qikbiz" / "app" / "features.py"
    listed.write_text(re.sub(r".*\bannouncements\b.*\n", "", listed.read_text()))
    assert look() == "0 True"
