"""The shipped systemd units: what they start exists, each kind of process has an account, and none can do much (P9)."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from config.settings import load_settings
from provisioning.cli import COMMANDS
from provisioning.procfile import processes_of
from qikbiz.kernel.job_kinds import Queue
from tests.running.installation import ROOT, program
from tests.running.test_production_settings import SAFE

SYSTEMD = ROOT / "config" / "systemd"
HERE = "/opt/qikbiz/.venv/bin/"
WORKERS = ("worker@exports", "worker@imports", "worker@mail", "worker@checks", "provisioning")
UNITS = ("web", *WORKERS, "sweeper", "migrate")
HARDENING = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "PrivateUsers": "yes",
    "ProtectProc": "invisible",
    "MemoryDenyWriteExecute": "yes",
    "RestrictNamespaces": "yes",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
    "SystemCallArchitectures": "native",
    "LockPersonality": "yes",
    "UMask": "0007",
    "LimitCORE": "0",
}
# In tenths, as `systemd-analyze security` counts: 1.1 is what the network costs that the program can't be without.
MOST_EXPOSED = 12


def directives(unit: str) -> list[tuple[str, str]]:
    """What systemd puts together for a unit: its file, what is for all, and what is for this one alone."""
    name, at, instance = unit.partition("@")
    files = [SYSTEMD / f"qikbiz-{name}{at}.service", SYSTEMD / "qikbiz-.service.d/hardening.conf"]
    files += sorted((SYSTEMD / f"qikbiz-{unit}.service.d").glob("*.conf"))
    lines = [line for file in files for line in file.read_text().splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith(("#", "["))]
    return [(key, value.replace("%i", instance)) for key, _, value in pairs]


def value(unit: str, key: str) -> str:
    found = [each for name, each in directives(unit) if name == key]
    assert len(found) == 1, (unit, key, found)
    return found[0]


def test_the_units_and_the_procfile_start_the_same_processes() -> None:
    of_procfile = set(processes_of().values())
    commands = {value(unit, "ExecStart").removeprefix(HERE) for unit in UNITS}
    assert commands == of_procfile | {"qikbiz migrate"}
    assert "migrate" in COMMANDS
    assert {unit.removeprefix("worker@") for unit in WORKERS} == set(get_args(Queue))


@pytest.mark.parametrize("unit", UNITS)
def test_what_a_unit_starts_is_there(unit: str) -> None:
    words = value(unit, "ExecStart").removeprefix(HERE).split()
    if words[0] == "python":
        module = ROOT / words[2].replace(".", "/")
        assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()
    else:
        assert re.search(rf'(?m)^{words[0]} = "', (ROOT / "pyproject.toml").read_text())


@pytest.mark.promise("P9")
@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_is_hardened(unit: str) -> None:
    for key, wanted in HARDENING.items():
        assert value(unit, key) == wanted, key
    assert [each for key, each in directives(unit) if key == "SystemCallFilter"] == [
        "@system-service",
        "~@privileged @resources",
    ]
    written = " ".join(each for key, each in directives(unit) if key == "ReadWritePaths").split()
    assert set(written) <= {"/var/lib/qikbiz/files", "/var/lib/qikbiz/figures"}


@pytest.mark.promise("P9")
def test_each_kind_of_process_has_an_account_of_its_own_that_is_made() -> None:
    users = {unit: value(unit, "User") for unit in UNITS}
    assert users.pop("migrate") == users["provisioning"]
    assert len(set(users.values())) == len(users)
    made = re.findall(r"(?m)^u (\S+)", (ROOT / "config/sysusers.d/qikbiz.conf").read_text())
    assert sorted(made) == sorted(users.values())


@pytest.mark.promise("P9")
def test_only_the_provisioning_account_is_given_the_provisioners_login_and_only_the_mailer_the_mail_servers() -> None:
    for unit in UNITS:
        credentials = {each.partition(":")[0] for key, each in directives(unit) if key == "LoadCredential"}
        assert ("provisioner-url" in credentials) == (value(unit, "User") == "qikbiz-provisioning"), unit
        assert ("smtp-url" in credentials) == (unit == "worker@mail"), unit
        assert {"keys", "control-url", "redis-url"} <= credentials


@pytest.mark.parametrize("unit", UNITS)
def test_what_the_units_set_are_settings_that_production_takes(unit: str, tmp_path: Path) -> None:
    """Each variable that a unit or the shipped qikbiz.env sets, with secrets in files as systemd hands them over."""
    told: dict[str, str] = {}
    for line in (SYSTEMD / "qikbiz.env").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, text = line.partition("=")
            told[name] = text.strip('"')
    for key, text in directives(unit):
        if key == "Environment":
            told |= dict(word.split("=", 1) for word in text.replace("%d", str(tmp_path)).split())
    secrets = {"keys": "KEYS", "control-url": "CONTROL_URL", "redis-url": "REDIS_URL", "smtp-url": "SMTP_URL"}
    for file, name in (secrets | {"provisioner-url": "PROVISIONER_URL"}).items():
        (tmp_path / file).write_text(SAFE[f"QIKBIZ_{name}"] + "\n")
    settings = load_settings(told)
    assert settings.is_production
    assert str(settings.home) == "/var/lib/qikbiz"
    assert (settings.provisioner_url is not None) == (value(unit, "User") == "qikbiz-provisioning")
    assert settings.trusted_proxies


@pytest.mark.promise("P9")
def test_the_target_starts_every_unit_that_stays() -> None:
    wanted = " ".join(re.findall(r"(?m)^Wants=(.*)$", (SYSTEMD / "qikbiz.target").read_text())).split()
    assert sorted(wanted) == sorted(f"qikbiz-{unit}.service" for unit in UNITS if unit != "migrate")


@pytest.fixture
def placed(tmp_path: Path) -> Path:
    """The units as they are in /etc/systemd/system, starting something that exists on this machine."""
    program("systemd-analyze")
    shutil.copytree(SYSTEMD, tmp_path, dirs_exist_ok=True)
    for file in tmp_path.glob("*.service"):
        file.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", file.read_text()))
    return tmp_path


@pytest.mark.promise("P9")
def test_systemd_finds_nothing_wrong_with_them(placed: Path) -> None:
    files = [str(placed / f"qikbiz-{unit}.service") for unit in UNITS]
    command = [program("systemd-analyze"), "verify", "--man=no", *files, str(placed / "qikbiz.target")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # Other packages' units may have faults of their own; ours may not.
    assert [line for line in done.stderr.splitlines() if "qikbiz" in line] == []
    assert done.returncode == 0, done.stderr


@pytest.mark.promise("P9")
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_rates_them_as_hardly_exposed(placed: Path, unit: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}"]
    done = subprocess.run(
        [*command, str(placed / f"qikbiz-{unit}.service")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-400:]


def test_the_rating_can_fail(placed: Path) -> None:
    (placed / "qikbiz-.service.d" / "hardening.conf").write_text("[Service]\n")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}"]
    done = subprocess.run([*command, str(placed / "qikbiz-web.service")], capture_output=True, check=False)
    assert done.returncode != 0


@pytest.mark.promise("P9")
def test_accounts_and_folders_are_made_from_the_shipped_files(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for tool, file in (("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles --create", "tmpfiles.d")):
        words = tool.split()
        shipped = (ROOT / "config" / file / "qikbiz.conf").read_text()
        command = [program(words[0]), f"--root={tmp_path}", *words[1:], "-"]
        done = subprocess.run(command, input=shipped, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    assert re.search(r"(?m)^qikbiz-mail:.*:/usr/sbin/nologin$", (tmp_path / "etc/passwd").read_text())
    modes = {"var/lib/qikbiz": 0o750, "var/lib/qikbiz/files": 0o2770, "var/lib/qikbiz/figures": 0o700}
    for folder, mode in (modes | {"etc/qikbiz/secrets": 0o700}).items():
        assert (tmp_path / folder).stat().st_mode & 0o7777 == mode, folder


@pytest.mark.promise("P9")
def test_a_command_runs_in_the_same_cage_with_the_provisioners_login(tmp_path: Path) -> None:
    """systemd-run is played: what it is asked for is what counts, and systemd itself can't be had in a test."""
    played = tmp_path / "systemd-run"
    played.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
    played.chmod(0o755)
    command = [str(ROOT / "config/bin/qikbiz-command"), "tenant", "create", "acme", "--name", "Acme & Co"]
    done = subprocess.run(
        command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    words = done.stdout.splitlines()
    assert words[-6:] == [f"{HERE}qikbiz", *command[1:]]
    (unit,) = [word.removeprefix("--unit=") for word in words if word.startswith("--unit=")]
    # Units of such a name get what is in qikbiz-.service.d, as user-.slice.d does it for slices.
    assert unit.startswith("qikbiz-")
    assert f"--setenv=QIKBIZ_PROVISIONER_URL_FILE=/run/credentials/{unit}.service/provisioner-url" in words
    wanted = dict(word.removeprefix("--property=").split("=", 1) for word in words if word.startswith("--property="))
    for key in ("User", "LoadCredential", "ReadWritePaths"):
        assert (key, wanted[key]) in directives("provisioning")
