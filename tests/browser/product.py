"""The whole product, as `make run` starts it, in a throw-away home and on a free port, with the demo organisations."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.embedded.processes import wait_until
from provisioning.preparation import answers
from tests.fixtures import compiled_templates
from tests.fixtures.ports import free_port
from tests.fixtures.servers import servers_at

QIKBIZ = Path(sys.executable).parent / "qikbiz"
SECONDS_TO_START = 120
SECONDS_TO_STOP = 30


@dataclass(frozen=True)
class Person:
    """Who may sign in where; `host` is the first label of the address, `app_secret` what staff's app has."""

    name: str
    host: str
    email: str
    password: str
    app_secret: str = ""


@dataclass
class Product:
    """One running copy. `people` are found by their first name: people["alice"]; `settings` are further ones."""

    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="qb-")))
    port: int = field(default_factory=free_port)
    people: dict[str, Person] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        compiled_templates.lend(self.home)
        self._process = subprocess.Popen(
            [QIKBIZ, "up", "--json"], env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], SECONDS_TO_START)
        assert ready, f"it did not say in time that it is ready; {self.home}/log/qikbiz.log says why"
        told = json.loads(self._process.stdout.readline())
        compiled_templates.keep(self.home)
        self.people = {login["name"].split()[0].lower(): _person(login) for login in told["logins"]}
        assert wait_until(lambda: answers(self.port), seconds=10)

    def address(self, host: str) -> str:
        """Of a tenant or the console by its first label; of the public site for an empty one."""
        return f"http://{host}.localhost:{self.port}" if host else f"http://localhost:{self.port}"

    def discard(self) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.communicate(timeout=SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        servers_at(self.home).discard()
        shutil.rmtree(self.home, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        # Development, because only that has the demo organisations and the page with the mails.
        own = {
            "QIKBIZ_HOME": str(self.home),
            "PORT": str(self.port),
            "QIKBIZ_ENV": "development",
            "QIKBIZ_SWEEP_SECONDS": "1",
            "QIKBIZ_ARGON2_MEMORY_KIB": "64",
            "QIKBIZ_ARGON2_ITERATIONS": "1",
        }
        return (
            {name: value for name, value in os.environ.items() if not name.startswith("QIKBIZ_")} | own | self.settings
        )


def _person(login: dict[str, str]) -> Person:
    host = login["url"].removeprefix("http://").partition(".")[0]
    return Person(login["name"], host, login["email"], login["password"], login["app_secret"])
