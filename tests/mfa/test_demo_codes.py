"""The demo's staff need no phone in development; in production neither they nor the page exist."""

from __future__ import annotations

import re
from dataclasses import replace

import pyotp

from provisioning.logins import add_person
from qikbiz.app.application import create_app
from qikbiz.identity.accounts.realms import staff_realm
from qikbiz.identity.mfa.actions import keep_app
from qikbiz.identity.mfa.demo_codes import demo_secret
from qikbiz.identity.mfa.totp import new_secret
from qikbiz.kernel.database import control_transaction


def test_the_page_shows_codes_of_the_demo_and_of_nobody_else(app, browser_at, world):
    with app.app_context(), control_transaction():
        for name, secret in (("dana", demo_secret(world.settings, "dana@demo.example")), ("real", new_secret())):
            person = add_person(staff_realm(), f"{name}@demo.example", name, "support", password_hash="-")
            keep_app(staff_realm(), person, secret)
    page = browser_at("localhost").get("/demo-codes").text
    shown = re.findall(r"<code[^>]*>(\d{6})</code>", page)
    generator = pyotp.TOTP(demo_secret(world.settings, "dana@demo.example"))
    assert "dana@demo.example" in page
    assert "real@demo.example" not in page
    assert any(generator.verify(code, valid_window=2) for code in shown)


def test_production_has_no_such_page(world):
    production = create_app(replace(world.settings, environment="production"), process="tests-production")
    try:
        assert not [rule for rule in production.url_map.iter_rules() if "demo" in rule.rule]
    finally:
        production.extensions["qikbiz"].dispose()
