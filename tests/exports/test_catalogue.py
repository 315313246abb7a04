"""Every table and column of a tenant's schema is exported, or is in a list with the reason why not."""

from __future__ import annotations

import pytest

from provisioning.servers import Connection
from qikbiz.transfer.exports.catalogue import EXCLUDED_COLUMNS, EXCLUDED_TABLES, EXPORTED, NOT_RESTORED, exported_table
from tests.fixtures.world import World

COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s"
SECRETS = ("password", "token", "secret", "key", "hash")


def columns_of_the_schema(world: World, connection: Connection) -> set[tuple[str, str]]:
    return set(connection.execute(COLUMNS, (world.acme.tenant.schema,)).fetchall())


def columns_decided() -> set[tuple[str, str]]:
    return {(table.name, column) for table in EXPORTED for column in table.columns} | set(EXCLUDED_COLUMNS)


def test_no_column_was_forgotten(world: World, owner_connection: Connection) -> None:
    found = columns_of_the_schema(world, owner_connection)
    forgotten = {pair for pair in found if pair[0] not in EXCLUDED_TABLES} - columns_decided()
    assert forgotten == set(), "Say in transfer/exports/catalogue.py whether these are exported, or why not."


def test_nothing_is_listed_that_does_not_exist(world: World, owner_connection: Connection) -> None:
    found = columns_of_the_schema(world, owner_connection)
    assert columns_decided() - found == set()
    assert set(EXCLUDED_TABLES) - {table for table, _ in found} == set()


def test_nothing_is_both_exported_and_left_out() -> None:
    exported = {(table.name, column) for table in EXPORTED for column in table.columns}
    assert exported & set(EXCLUDED_COLUMNS) == set()
    assert {table.name for table in EXPORTED} & set(EXCLUDED_TABLES) == set()


def test_no_secret_leaves() -> None:
    suspicious = {(table.name, c) for table in EXPORTED for c in table.columns if any(word in c for word in SECRETS)}
    # A folded address, the field that finds records, fingerprints of files and links of the audit are no secrets;
    # the key of a tombstone must be where the tombstone is (docs/erasure-receipts.md).
    assert suspicious <= {("users", "email_key"), ("imports", "key_field"), ("imports", "file_sha256"),
                          ("exports", "file_sha256"), ("audit_events", "hash"), ("audit_events", "previous_hash"),
                          ("audit_events", "private_hash"), ("erasures", "key_id"),
                          ("tombstones", "key")}  # fmt: skip


@pytest.mark.parametrize("reason", [*EXCLUDED_TABLES.values(), *EXCLUDED_COLUMNS.values(), *NOT_RESTORED.values()])
def test_each_reason_is_a_sentence(reason: str) -> None:
    assert reason[0].isupper() and reason.endswith(".") and len(reason.split()) > 3


def test_what_is_referred_to_comes_first() -> None:
    names = [table.name for table in EXPORTED]
    for table in EXPORTED:
        for key in table.table.foreign_keys:
            assert names.index(key.column.table.name) <= names.index(table.name)


def test_every_table_has_a_fixed_order() -> None:
    for table in EXPORTED:
        assert [column.name for column in exported_table(table.name).table.primary_key] == list(table.order)
