"""The peer: Django and django-tenants, installed into an environment of their own, on the same server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.bench.stage import BUILD, HERE, Stage

REQUIREMENTS = ("django==5.2.19", "django-tenants==4.0.1", "psycopg[binary]==3.3.9", "gunicorn==27.0.1")
DATABASE = "bench_peer"


@dataclass(frozen=True)
class Peer:
    """The peer's project in a folder of its own, with its database made and its shared tables migrated."""

    python: Path
    folder: Path
    environment: dict[str, str]

    def manage(self, *words: str) -> str:
        return self._run(str(self.folder / "manage.py"), *words)

    def run(self, code: str) -> str:
        """Run Python inside the peer's project and return what it prints."""
        prepared = (
            "import os, django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'peersettings')\ndjango.setup()\n"
        )
        return self._run("-c", prepared + code)

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [str(self.python), *words],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"The peer's {words[:3]} failed: {done.stderr[-1500:]}")
        return done.stdout


def prepare_peer(played: Stage) -> Peer:
    python = _installed()
    folder = BUILD / "peer"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "peer", folder)
    with played.superuser() as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        host = connection.info.host
    peer = Peer(python, folder, {"PEER_DB": DATABASE, "PEER_USER": "postgres", "PEER_HOST": host})
    peer.manage("makemigrations", "customers", "crm")
    peer.manage("migrate_schemas", "--shared")
    return peer


def _installed() -> Path:
    folder = BUILD / "peer-venv"
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == str(REQUIREMENTS):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
    stamp.write_text(str(REQUIREMENTS))
    return python
