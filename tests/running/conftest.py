"""One installation behind every proxy: no test changes in it what another one looks at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running.installation import Installation, installed


@pytest.fixture(scope="session")
def behind() -> Iterator[Installation]:
    with installed() as one:
        yield one
