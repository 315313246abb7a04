"""An address that our mail server can't send to is refused at once with a sentence, and not shown as invited."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from markupsafe import escape
from sqlalchemy import select

from qikbiz.identity.accounts.models import User
from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail import smtp
from qikbiz.messaging.mail.addresses import BadAddress
from qikbiz.messaging.mail.reachability import CANT_BE_REACHED, NOT_KNOWN_NOW, unreachable_reason
from tests.fixtures.web import Browser
from tests.mail.conftest import MailHarness
from tests.mail.scripted_server import ScriptedServer, scripted_server

WITHOUT, WITH = b"250 here", b"250-here\r\n250-8BITMIME\r\n250 SMTPUTF8"
JOERG = "jörg@example.com"


@pytest.fixture
def scripted(mail_harness: MailHarness, served_by: Callable[[str | None], None]) -> Iterator[ScriptedServer]:
    with scripted_server() as played:
        served_by(f"smtp://127.0.0.1:{played.port}")
        yield played


def test_an_invitation_that_can_not_arrive_is_refused_with_a_sentence_and_makes_nobody(
    client_for: Callable[[str], Browser],
    app: Any,
    mail_harness: MailHarness,
    scripted: ScriptedServer,
    monkeypatch: Any,
) -> None:
    scripted.answers = {"EHLO": WITHOUT}
    held = app.extensions["qikbiz"]
    monkeypatch.setattr(held, "settings", replace(held.settings, smtp_url=f"smtp://127.0.0.1:{scripted.port}"))
    page = client_for("alice").post("/users/invitation", {"email": JOERG, "name": "Jörg", "role": "user"}, check=False)
    assert str(escape(CANT_BE_REACHED)) in page.text
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        assert session.scalar(select(User.id).where(User.email_key == JOERG)) is None
    for mail in (
        lambda: mail_harness.write(to_address=JOERG),
        lambda: mail_harness.write(to_address=JOERG, dedupe_key="two"),
    ):
        with pytest.raises(BadAddress, match="before the @"):
            mail()
    assert scripted.connections == 1, "What the server takes is asked once an hour."
    # After the @ any characters will do: names are sent in their ASCII form.
    assert (
        mail_harness.mail(mail_harness.write(to_address="joerg@müller.example")).to_address
        == "joerg@xn--mller-kva.example"
    )


def test_where_the_server_takes_such_addresses_the_mail_leaves(
    mail_harness: MailHarness, scripted: ScriptedServer
) -> None:
    scripted.answers = {"EHLO": WITH}
    mail_id = mail_harness.write(to_address=JOERG)
    assert (mail_harness.deliver(mail_id), mail_harness.state(mail_id)) == ("done", "sent")


def test_while_the_server_is_away_it_is_said_that_this_is_not_known(
    mail_harness: MailHarness, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "ASK_SECONDS", 0.3)
    scripted.drops = "CONNECT"
    assert unreachable_reason(JOERG) == NOT_KNOWN_NOW
    assert unreachable_reason("joerg@example.com") == ""


def test_the_folder_of_development_takes_all(
    mail_harness: MailHarness, served_by: Callable[[str | None], None]
) -> None:
    served_by(None)
    assert unreachable_reason(JOERG) == ""
