"""Promise P10: the app's secret is sealed again in time, so that keys can be rolled and retired without locking out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.keys import Key, KeyRing
from qikbiz.app.application import create_app
from qikbiz.identity.accounts.realms import tenant_realm
from qikbiz.identity.mfa import totp
from qikbiz.identity.mfa.actions import keep_app, seal_anew
from qikbiz.identity.mfa.queries import app_of
from qikbiz.kernel.database import tenant_transaction

pytestmark = pytest.mark.promise("P10")


def _rolled(world) -> KeyRing:
    first = world.settings.keys.active
    second = Key((first.id + 1) % 256, bytes(range(32)), "active")
    return KeyRing((replace(first, state="accept"), second))


def test_a_secret_outlives_the_key_it_was_sealed_with(app, world, fresh_tenant, add_person):
    nora = add_person(fresh_tenant(), "Nora", "member")
    secret = totp.new_secret()
    with app.app_context(), tenant_transaction(nora.tenant):
        keep_app(tenant_realm(), nora.id, secret)
    rolled = create_app(replace(world.settings, keys=_rolled(world)), process="tests-sealing")
    try:
        with rolled.app_context(), tenant_transaction(nora.tenant):
            assert seal_anew(tenant_realm()) == 1
            assert seal_anew(tenant_realm()) == 0
            opened = totp.open_secret(tenant_realm(), nora.id, app_of(tenant_realm(), nora.id).sealed_secret)
            # Under the active key now: the one before may be retired.
            assert (opened.plaintext.decode(), opened.is_stale) == (secret, False)
    finally:
        rolled.extensions["qikbiz"].dispose()
