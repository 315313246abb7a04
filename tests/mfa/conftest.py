"""Nora of an organisation of her own, with the clock that logins look at."""

import pytest

from tests.accounts.conftest import *  # noqa: F403 - the same clock, servers and looks behind the pages


@pytest.fixture
def nora(fresh_tenant, add_person):
    return add_person(fresh_tenant("Initech"), "Nora", "administrator")
