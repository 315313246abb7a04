"""`qikbiz tickets receive`, as a mail server's pipe calls it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from werkzeug.test import TestResponse

from provisioning.cli import qikbiz
from qikbiz.trust.tickets.addresses import reply_address
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from tests.tickets.conftest import mail, messages, tickets

pytestmark = pytest.mark.usefixtures("patient")


@pytest.fixture
def pipe(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """A function that pipes one mail in and reads the answer."""
    monkeypatch.setattr("config.settings.load_settings", lambda: world.settings)

    def call(content: bytes, *options: str) -> dict[str, str]:
        result = CliRunner().invoke(qikbiz, ["tickets", "receive", "--json", *options], input=content)
        assert result.exit_code == 0, result.output
        answer: dict[str, str] = json.loads(result.stdout)
        return answer

    return call


def test_an_answer_is_taken_from_standard_input(
    pipe: Callable[..., dict[str, str]],
    world: World,
    browser_at: Callable[[str], Browser],
    ask: Callable[..., TestResponse],
) -> None:
    ask(browser_at("localhost"))
    (ticket,) = tickets()
    address = reply_address(world.settings, ticket.id)
    content = mail("somebody@example.net", "It works now, thank you. Grüße")
    assert pipe(content, "--recipient", address) == {"outcome": "answered", "ticket": ticket.reference, "why": ""}
    assert messages(ticket)[-1].body == "It works now, thank you. Grüße"
    assert pipe(content, "--recipient", address)["outcome"] == "known"


def test_what_is_left_alone_says_why_and_is_no_failure(pipe: Callable[..., dict[str, str]]) -> None:
    answer = pipe(mail("support@localhost", "I am away", Auto_Submitted="auto-replied"))
    assert (answer["outcome"], answer["why"]) == ("ignored", "A program wrote it.")


def test_a_mail_without_end_is_cut_off(pipe: Callable[..., dict[str, str]]) -> None:
    assert pipe(mail("support@localhost", "x" * 3_000_000))["outcome"] == "ignored"
