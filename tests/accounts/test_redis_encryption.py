"""Redis is no place to read names from, nor to write rights or rules into: what it holds is sealed for its key."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from qikbiz.identity.sessions.session_cache import _PURPOSE
from qikbiz.kernel.networks import unit_of
from qikbiz.security.ip_reputation import limiter

pytestmark = pytest.mark.promise("P2")
HERE, THERE = "198.51.100.91", "198.51.100.92"


@pytest.fixture
def redis(app):
    with app.extensions["qikbiz"].redis.client() as client:
        yield client


@pytest.fixture
def record_of(redis, log_in):
    """A function that signs a user in and returns the browser and the key of the session's record."""

    def signed_in(person):
        before = set(redis.keys("*:s:*"))
        browser = log_in(person)
        browser.get("/")
        (key,) = set(redis.keys("*:s:*")) - before
        return browser, key

    return signed_in


def test_a_record_says_nothing_to_who_reads_it(world, redis, record_of):
    _browser, key = record_of(world.alice)
    held = redis.get(key)
    assert not any(word in held for word in ("Alice", "example.com", "contact", "{", "admin"))


def test_a_record_that_was_written_by_somebody_else_gives_no_rights(app, world, redis, record_of):
    browser, key = record_of(world.bob)
    alice, key_of_alice = record_of(world.alice)
    keys = app.extensions["qikbiz"].settings.keys
    record = json.loads(keys.open(_PURPOSE, redis.get(key), bound_to=key).plaintext)
    grown = json.loads(keys.open(_PURPOSE, redis.get(key_of_alice), bound_to=key_of_alice).plaintext)
    grown |= {"id": record["id"], "stamp": record["stamp"]}
    assert alice.get("/settings/sign-in-policy").status_code == 200
    for forged in (
        json.dumps(grown),
        redis.get(key_of_alice),
        keys.seal(_PURPOSE, json.dumps(grown).encode(), bound_to=key_of_alice),
        keys.seal("session", json.dumps(grown).encode(), bound_to=key),
        "nonsense",
        "",
    ):
        redis.set(key, forged)
        assert browser.get("/").status_code == 200, "Postgres knows who it is"
        assert browser.get("/settings/sign-in-policy").status_code == 403


def test_bytes_that_are_no_text_cost_nobody_a_page(world, redis, record_of):
    browser, key = record_of(world.bob)
    prefix = key.partition(":s:")[0]
    for planted in (key, *(f"{prefix}:{kind}:{world.bob.id.hex}" for kind in ("stamp", "unread"))):
        redis.set(planted, b"\xff\x00nonsense", ex=60)
        assert browser.get("/").status_code == 200, planted


def test_a_record_of_one_organisation_is_none_in_another(world, redis, record_of):
    browser, key = record_of(world.mallory)
    alice, key_of_alice = record_of(world.alice)
    redis.set(key, redis.get(key_of_alice))
    page = browser.get("/profile")
    assert world.mallory.email in page.text and world.alice.email not in page.text
    assert alice.get("/").status_code == 200


def test_a_rule_that_was_written_by_somebody_else_neither_blocks_nor_lets_in(working, redis):
    until = int((datetime.now(UTC) + timedelta(minutes=5)).timestamp())
    here, there = (limiter.rule_key(unit_of(address)) for address in (HERE, THERE))
    try:
        redis.set(here, json.dumps({"action": "block", "reference": "x", "until": until}))
        assert limiter.answer(HERE).verdict == "allow"
        limiter.enforce(unit_of(HERE), "block", "ref", datetime.now(UTC) + timedelta(minutes=5))
        assert limiter.answer(HERE).verdict == "block"
        redis.set(there, redis.get(here))
        assert limiter.answer(THERE).verdict == "allow", "another address's rule"
        assert "block" not in redis.get(here)
    finally:
        redis.delete(here, there)
