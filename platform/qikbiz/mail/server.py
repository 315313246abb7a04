"""Handing one message to an SMTP server, and knowing exactly what its answer means."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 30.0
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_READY_FOR_DATA, _ACCEPTED = 354, 250


class NotAccepted(Exception):
    """Certainly not delivered; a later try may do. The text is ours, without anything the server quoted."""


class RefusedForGood(Exception):
    """Certainly not delivered, and never will be."""


class OutcomeUnknown(Exception):
    """The whole message went out and the answer never came: it may be delivered or not."""


def hand_over(url: str, sender: str, recipient: str, message: EmailMessage) -> None:
    """Deliver to the server at `url`. Raises NotAccepted, RefusedForGood or OutcomeUnknown."""
    with _session(url) as server:
        international = not (recipient.isascii() and sender.isascii())
        if international and not server.has_extn("smtputf8"):
            raise RefusedForGood("The mail server takes no addresses with such letters.")
        options = ["SMTPUTF8", "BODY=8BITMIME"] if international else []
        _check(server.mail(sender, options), "sender")
        _check(server.rcpt(recipient), "recipient")
        _give(server, message.as_bytes(policy=SMTPUTF8 if international else SMTP))


@contextmanager
def _session(url: str) -> Iterator[smtplib.SMTP]:
    try:
        server = _connect(url)
    except smtplib.SMTPAuthenticationError as error:
        raise NotAccepted(f"The mail server did not accept our login ({error.smtp_code}).") from error
    except smtplib.SMTPResponseException as error:
        raise NotAccepted(f"The mail server did not greet us ({error.smtp_code}).") from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotAccepted("The mail server can't be reached.") from error
    try:
        yield server
    except (smtplib.SMTPException, OSError) as error:
        raise NotAccepted("The mail server went away.") from error
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.close()


def _connect(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or PORTS[parts.scheme]
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    server.ehlo_or_helo_if_needed()
    if parts.scheme == "smtp+starttls":
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server


def _give(server: smtplib.SMTP, content: bytes) -> None:
    code, _ = server.docmd("DATA")
    if code != _READY_FOR_DATA:
        _check((code, b""), "message")
    dotted = smtplib._quote_periods(content)  # type: ignore[attr-defined]  # RFC 5321 4.5.2, as smtplib does it
    try:
        server.send(dotted + (b"" if dotted.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        answer = server.getreply()
    except (smtplib.SMTPException, OSError) as error:
        # From the last line on the server may have taken it, and only its answer was lost.
        raise OutcomeUnknown("The mail server went away before it answered.") from error
    _check(answer, "message")


def _check(answer: tuple[int, bytes], what: str) -> None:
    code = answer[0]
    if 200 <= code < 300:
        return
    if 500 <= code < 600:
        raise RefusedForGood(f"The mail server refused the {what} ({code}).")
    raise NotAccepted(f"The mail server put us off ({code}).")
