"""One installation behind every proxy, which no test changes, and servers that a module's tests may break."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import Settings
from provisioning.bootstrap import prepare_servers
from provisioning.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.fixtures.servers import Servers, settings_for
from tests.running.installation import Installation, installed


@pytest.fixture(scope="package")
def behind() -> Iterator[Installation]:
    with installed() as one:
        yield one


@pytest.fixture(scope="module")
def own_servers() -> Iterator[Servers]:
    """The module's own. Valkey is durable, as doctor wants it."""
    home = Path(tempfile.mkdtemp(prefix="qb-"))
    both = Servers(home, EmbeddedPostgres(home, durable=False), EmbeddedValkey(home))
    both.start()
    prepare_servers(settings_for(home))
    yield both
    both.discard()


@pytest.fixture
def prepared(own_servers: Servers) -> Settings:
    return settings_for(own_servers.home)
