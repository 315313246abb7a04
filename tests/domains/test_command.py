"""`qikbiz domain`: the same actions for the operators of the installation."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from provisioning.cli import qikbiz
from tests.domains.test_custom_domains import HOST, PROOF


@pytest.fixture
def command(world, monkeypatch):
    monkeypatch.setenv("QIKBIZ_HOME", str(world.settings.home))
    monkeypatch.setenv("QIKBIZ_ENV", "test")

    def run(*words):
        done = CliRunner().invoke(qikbiz, ["domain", *words, "--json"])
        return done.exit_code, json.loads(done.stdout) if done.stdout else {}, done.stderr

    return run


@pytest.mark.promise("P7")
def test_a_domain_from_the_first_day_to_the_last(command, name_server, app):
    code, made, _ = command("add", "acme", f"https://{HOST}/")
    assert (code, made["host"], made["txt_name"], made["points_to"]) == (0, HOST, PROOF, "acme.localhost")
    code, refused, _ = command("verify", "acme", HOST)
    assert code == 1
    assert "no TXT record" in json.dumps(refused)
    name_server.texts[PROOF] = [made["txt_value"]]
    code, proved, _ = command("verify", "acme", HOST.upper())
    assert code == 0
    assert proved["verified_at"]
    directory = app.extensions["qikbiz"].directory
    directory.look()
    assert directory.resolve(HOST).tenant.slug == "acme"
    code, listed, _ = command("list")
    assert [one["host"] for one in listed["domains"]] == [HOST]
    assert command("list", "globex")[1] == {"domains": []}
    assert command("remove", "acme", HOST)[0] == 0
    directory.look()
    assert directory.resolve(HOST).surface == "unknown"


@pytest.mark.parametrize(
    "words", [("add", "nobody", HOST), ("add", "acme", "x"), ("verify", "globex", HOST), ("remove", "acme", HOST)]
)
def test_what_can_not_be_done_is_said(command, words):
    code, said, _ = command(*words)
    assert code == 1
    assert said["error"]
