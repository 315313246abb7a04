"""A key can be retired: what lasts longer than a session is sealed again under the active one."""

from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import text

from config.keys import Key, KeyRing, KeyState, SealBroken
from provisioning.cells import reseal_cells
from provisioning.servers import connect_to_control
from tenants.runtime import CELL_DSN
from tests.fixtures.world import World


def test_cells_are_reached_after_the_key_that_sealed_them_is_retired(world: World) -> None:
    old = world.settings.keys.active
    fresh = Key(id=200, secret=b"n" * 32, state="active")
    rolled = KeyRing((_in_state(old, "accept"), fresh))
    try:
        assert reseal_cells(replace(world.settings, keys=rolled)) >= 1
        assert reseal_cells(replace(world.settings, keys=rolled)) == 0
        retired = KeyRing((_in_state(old, "retired"), fresh))
        for name, sealed in _cells(world):
            dsn = retired.open(CELL_DSN, sealed, bound_to=name).plaintext.decode()
            with psycopg.connect(dsn) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            with pytest.raises(SealBroken):
                retired.open(CELL_DSN, sealed, bound_to="cell_999")
    finally:
        back = KeyRing((old, _in_state(fresh, "accept")))
        reseal_cells(replace(world.settings, keys=back))
    with world.runtime.control.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM cells")).scalar_one() >= 1


def _cells(world: World) -> list[tuple[str, str]]:
    with connect_to_control(world.settings) as control:
        return [(row[0], row[1]) for row in control.execute("SELECT name, dsn FROM cells").fetchall()]


def _in_state(key: Key, state: KeyState) -> Key:
    return replace(key, state=state)
