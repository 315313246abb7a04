"""Handing one message to an SMTP server, and knowing exactly what its answer means.

The conversation has two halves. In the first the server agrees to take the message; nothing can have been delivered
yet. In the second it gets the message; when it then goes silent, nobody knows whether it was delivered.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from qikbiz.kernel.deadline import Deadline, OutOfTime, call_within

# Both halves together stay below the limit of the job that sends the mail (messaging/mail/feature.py).
AGREE_SECONDS, GIVE_SECONDS = 40.0, 50.0
ASK_SECONDS = 4.0
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
NO_SUCH_LETTERS = "The mail server does not accept addresses with non-ASCII letters before the @."
_READY_FOR_DATA, _CLOSING = 354, 421
# A fault of our settings, which an operator mends; no mail should be lost by it.
_WANTS_LOGIN = (530, 535)
Answer = TypeVar("Answer")


class NotAccepted(Exception):
    """Certainly not delivered; a later try may do. The text is ours, without anything the server quoted.

    `is_of_server`: the next mail would fare no better, so the server rests.
    """

    def __init__(self, text: str, *, is_of_server: bool = True) -> None:
        super().__init__(text)
        self.is_of_server = is_of_server


class RefusedForGood(Exception):
    """Certainly not delivered, and never will be."""


class OutcomeUnknown(Exception):
    """The server had agreed to take the message and its answer never came: it may be delivered or not."""


def hand_over(
    url: str, sender: str, recipient: str, message: EmailMessage, before_data: Callable[[], None] = lambda: None
) -> None:
    """Deliver to the server at `url`. `before_data` is called when the server waits for the message.

    Raises NotAccepted, RefusedForGood or OutcomeUnknown, and what `before_data` raises: then nothing was delivered.
    """
    with _open(url, sender, recipient) as (server, is_international):
        content = message.as_bytes(policy=SMTPUTF8 if is_international else SMTP)
        before_data()
        try:
            answer = call_within(Deadline(GIVE_SECONDS), lambda: _give(server, content))
        except (smtplib.SMTPException, OSError, OutOfTime) as error:
            raise OutcomeUnknown("The connection to the mail server was lost before it answered.") from error
        _check(answer, "message", is_of_server=False)


def takes_any_letters(url: str) -> bool:
    """Whether the server takes addresses outside ASCII. A page waits for this. Raises NotAccepted."""
    held: list[smtplib.SMTP] = []
    try:
        return _agreed(Deadline(ASK_SECONDS), lambda: _connect(url, held).has_extn("smtputf8"))
    finally:
        for server in held:
            with suppress(smtplib.SMTPException, OSError):
                server.close()


@contextmanager
def _open(url: str, sender: str, recipient: str) -> Iterator[tuple[smtplib.SMTP, bool]]:
    """A session in which the server waits for the message to this recipient, and whether it takes any letters."""
    held: list[smtplib.SMTP] = []
    deadline = Deadline(AGREE_SECONDS)
    try:
        is_international = _agreed(deadline, lambda: _agree(url, sender, recipient, held))
        yield held[0], is_international
    finally:
        for server in held:
            with suppress(smtplib.SMTPException, OSError):
                server.close()


def _agreed(deadline: Deadline, agree: Callable[[], Answer]) -> Answer:
    try:
        return call_within(deadline, agree)
    except OutOfTime as error:
        raise NotAccepted("The mail server is too slow.") from error
    except smtplib.SMTPAuthenticationError as error:
        raise NotAccepted(f"The mail server did not accept our credentials ({error.smtp_code}).") from error
    except smtplib.SMTPResponseException as error:
        raise NotAccepted(f"The mail server did not greet us ({error.smtp_code}).") from error
    except smtplib.SMTPServerDisconnected as error:
        raise NotAccepted("The connection to the mail server was lost.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotAccepted("The mail server can't be reached.") from error


def _agree(url: str, sender: str, recipient: str, held: list[smtplib.SMTP]) -> bool:
    server = _connect(url, held)
    international = not (recipient.isascii() and sender.isascii())
    if international and not server.has_extn("smtputf8"):
        raise RefusedForGood(NO_SUCH_LETTERS)
    _check(server.mail(sender, ["SMTPUTF8", "BODY=8BITMIME"] if international else []), "sender")
    # Greylisting puts off one sender and recipient; it says nothing about the next.
    _check(server.rcpt(recipient), "recipient", is_of_server=False)
    answer = server.docmd("DATA")
    if answer[0] != _READY_FOR_DATA:
        _check((answer[0] if answer[0] >= 400 else 451, b""), "message", is_of_server=False)
    return international


def _connect(url: str, held: list[smtplib.SMTP]) -> smtplib.SMTP:
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or PORTS[parts.scheme]
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=AGREE_SECONDS, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(host, port, timeout=AGREE_SECONDS)
    held.append(server)
    server.ehlo_or_helo_if_needed()
    if parts.scheme == "smtp+starttls":
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server


def _give(server: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    dotted = smtplib._quote_periods(content)  # type: ignore[attr-defined]  # RFC 5321 4.5.2, as smtplib does it
    server.send(dotted + (b"" if dotted.endswith(b"\r\n") else b"\r\n") + b".\r\n")
    return server.getreply()


def _check(answer: tuple[int, bytes], what: str, *, is_of_server: bool = True) -> None:
    code = answer[0]
    if 200 <= code < 300:
        return
    if 500 <= code < 600 and code not in _WANTS_LOGIN:
        raise RefusedForGood(f"The mail server refused the {what} ({code}).")
    raise NotAccepted(
        f"The mail server asked to try again later ({code}).", is_of_server=is_of_server or code == _CLOSING
    )
