"""Features: what each adds is found, and one can be deleted with its folder and its line."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from pkgutil import resolve_name

import pytest

from qikbiz.app.features import FEATURES
from qikbiz.identity.roles.builtin_roles import page_rights, staff_roles
from qikbiz.jobs.kinds import kinds
from qikbiz.kernel import feature as features
from qikbiz.kernel.feature import Feature, NavigationEntry, NotInstalled
from qikbiz.kernel.job_kinds import JobKind, Periodic
from qikbiz.kernel.permissions import PageRight, Permission
from qikbiz.kernel.registration import Registration
from qikbiz.messaging.mail.categories import categories_of_templates
from qikbiz.web.navigation import sidebars
from workers.schedule import schedule

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_whatever_a_feature_names_is_there(feature: Feature) -> None:
    named = [*(pages.blueprint for pages in feature.pages), *(kind.function for kind in feature.jobs.values())]
    for name in (*named, *feature.setup, *feature.models, *feature.evidence, *feature.hooks):
        assert resolve_name(name)


def test_every_package_with_a_feature_is_installed() -> None:
    found = {file.parent.name for file in (ROOT / "platform" / "qikbiz").rglob("feature.py")} - {"kernel"}
    assert found == {feature.name for feature in FEATURES} - {"test_jobs"}


@pytest.fixture
def uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that installed nothing; afterwards everything is installed again."""
    monkeypatch.setattr(features, "_installed", ())
    monkeypatch.setattr(features, "_program", "")


@pytest.mark.usefixtures("uninstalled")
def test_before_the_features_are_installed_nothing_is_derived_from_them() -> None:
    for derived in (sidebars, categories_of_templates, kinds, schedule, page_rights, staff_roles, features.load_models):
        with pytest.raises(NotInstalled):
            derived()


@pytest.mark.usefixtures("uninstalled")
def test_two_features_that_want_the_same_are_refused() -> None:
    entry = NavigationEntry("tenant", 10, "a", "A", "home", "a.index")
    with pytest.raises(ValueError, match="Installed twice: one"):
        features.install((Feature("one"), Feature("one")))
    features.install((Feature("one", navigation=(entry,)), Feature("two", navigation=(entry,))))
    with pytest.raises(ValueError, match="want position 10"):
        sidebars()
    right = PageRight(Permission.AUDIT_SEE, 10, "Privacy", "read it")
    for other in (right, replace(right, position=20), replace(right, permission=Permission.GRANT_GIVE)):
        features.install((Feature("one", permissions=(right,)), Feature("two", permissions=(other,))))
        with pytest.raises(ValueError, match="one permission, or want one position"):
            page_rights()
    features.install((Feature("one", emails={"a": "security"}), Feature("two", emails={"a": "legal"})))
    with pytest.raises(ValueError, match="sent by two features"):
        categories_of_templates()


JOB = JobKind("checks", "A test", "workers.run_job:run")
DAILY = Periodic("daily", "a.run", timedelta(days=1), each_tenant=True)


@pytest.mark.usefixtures("uninstalled")
@pytest.mark.parametrize(
    ("jobs", "entries", "reason"),
    [
        ({"b.run": JOB, "a.run": JOB}, (), "'a.run' is declared twice"),
        ({"b.run": replace(JOB, former_names=("a.run",))}, (), "'a.run' is declared twice"),
        ({"b.run": replace(JOB, former_names=("b.run",))}, (), "'b.run' is declared twice"),
        ({"run": JOB}, (), "not named"),
        ({}, (replace(DAILY, kind="a.walk"),), "names no kind of job of its ledger: a.walk"),
        ({}, (replace(DAILY, each_tenant=False),), "names no kind of job of its ledger: a.run"),
        ({}, (DAILY, DAILY), "Scheduled twice: daily"),
    ],
)
def test_jobs_that_are_declared_wrongly_are_refused_when_the_features_are_installed(
    jobs: dict[str, JobKind], entries: tuple[Periodic, ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        features.install((Feature("one", jobs={"a.run": JOB}), Feature("two", jobs=jobs, schedule=entries)))
    with pytest.raises(NotInstalled):
        features.installed()


@pytest.mark.usefixtures("uninstalled")
def test_a_hook_that_fails_leaves_nothing_installed() -> None:
    """A process that goes on after it must not take half of the registrations for all of them."""
    with pytest.raises(ZeroDivisionError):
        features.install((Feature("one", hooks=(f"{__name__}:fail",)),))
    with pytest.raises(NotInstalled):
        features.installed()


@pytest.mark.usefixtures("uninstalled")
def test_another_process_is_started_only_by_a_program_that_installs_the_same_features() -> None:
    with pytest.raises(NotInstalled):
        features.command_of("module:main")
    features.install((Feature("one"),), program="some.program")
    assert features.command_of("module:main") == [sys.executable, "-m", "some.program", "module:main"]


def test_what_no_feature_registers_is_refused_and_so_is_a_second_one() -> None:
    answer: Registration[int] = Registration("the answer")
    with pytest.raises(NotInstalled, match="the answer"):
        _ = answer.value
    answer.register(42)
    with pytest.raises(RuntimeError, match="Two features register the answer"):
        answer.register(43)
    assert answer.value == 42


def fail() -> None:
    raise ZeroDivisionError


# Announcements do nothing periodically; the copy says that they do, to see it go with them.
_PERIODIC = """
from dataclasses import replace
from datetime import timedelta
from qikbiz.kernel.job_kinds import Periodic
monthly = Periodic("send monthly", "announcements.send", timedelta(days=30))
FEATURE = replace(FEATURE, schedule=(*FEATURE.schedule, monthly))
"""
_LOOK = """
from pkgutil import resolve_name
from config.settings import load_settings
from qikbiz.app.application import create_app
from qikbiz.identity.roles.builtin_roles import staff_roles
from qikbiz.jobs.kinds import kinds
from qikbiz.kernel.models import tenant_metadata
from workers.schedule import schedule
app = create_app(load_settings())
pages = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("announcements.")]
jobs = [name for name in kinds() if name.startswith("announcements.")]
periodic = [entry for entry in schedule() if entry.kind.startswith("announcements.")]
are_there = all(resolve_name(kind.function) for kind in kinds().values())
may_send = staff_roles()["operator"].can("announcement:send")
print(len(pages) > 0, may_send, len(jobs), len(periodic))
print(len(kinds()) > 30, are_there, len(tenant_metadata().tables) > 20)
"""


def test_deleting_a_folder_and_its_line_deletes_the_feature(tmp_path: Path) -> None:
    def look() -> str:
        environment = {"PYTHONPATH": f"{tmp_path}/platform:{tmp_path}", "QIKBIZ_HOME": str(tmp_path / "var")}
        command = [sys.executable, "-c", _LOOK]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    for folder in ("platform", "tenants", "config", "provisioning", "workers"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    package = tmp_path / "platform" / "qikbiz" / "messaging" / "announcements"
    declared = package / "feature.py"
    declared.write_text(declared.read_text() + _PERIODIC)
    assert look() == "True True 3 1\nTrue True True"
    shutil.rmtree(package)
    listed = tmp_path / "platform" / "qikbiz" / "app" / "features.py"
    listed.write_text(re.sub(r".*\bannouncements\b.*\n", "", listed.read_text()))
    assert look() == "False False 0 0\nTrue True True"
