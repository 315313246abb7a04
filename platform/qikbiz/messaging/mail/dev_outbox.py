"""Where mails go when no mail server is set: a folder, read on the page of mails. Never in production."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP, default
from itertools import islice
from pathlib import Path
from uuid import UUID

NEWEST = 500


@dataclass(frozen=True, slots=True)
class WrittenMail:
    """One mail of the folder. `text` and `html` are empty in a list."""

    id: UUID
    to: str
    subject: str
    at: datetime | None
    text: str = ""
    html: str = ""


def write(folder: Path, mail_id: UUID, message: EmailMessage) -> None:
    """Put the message there whole, or not at all. The same mail again takes the place of the first."""
    make_private(folder)
    draft = folder / f".{mail_id}.{os.getpid()}.part"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(message.as_bytes(policy=SMTP))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(_path(folder, mail_id))


def make_private(folder: Path) -> None:
    """A folder that no other account reads: its mails hold links that open logins."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def newest(folder: Path, search: str = "", limit: int = 100) -> list[WrittenMail]:
    """The newest mails first; `search` looks into recipients and subjects."""
    wanted = search.casefold().split()
    found = (
        mail for mail in _headers(folder) if all(word in f"{mail.to} {mail.subject}".casefold() for word in wanted)
    )
    return list(islice(found, limit))


def read(folder: Path, mail_id: UUID) -> WrittenMail | None:
    try:
        message = message_from_bytes(_path(folder, mail_id).read_bytes(), policy=default)
    except FileNotFoundError:
        return None
    assert isinstance(message, EmailMessage)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    shown = _shown(mail_id, message)
    parts = {"text": str(text.get_content()) if text else "", "html": str(html.get_content()) if html else ""}
    return WrittenMail(shown.id, shown.to, shown.subject, shown.at, **parts)


def _headers(folder: Path) -> Iterator[WrittenMail]:
    # Ids are ordered by time, so the names are too.
    for path in islice(sorted(folder.glob("*.eml"), reverse=True), NEWEST):
        with path.open("rb") as file:
            yield _shown(UUID(path.stem), BytesHeaderParser(policy=default).parse(file))


def _shown(mail_id: UUID, message: EmailMessage) -> WrittenMail:
    date = message["Date"]
    return WrittenMail(mail_id, str(message["To"]), str(message["Subject"]), date.datetime if date else None)


def _path(folder: Path, mail_id: UUID) -> Path:
    return folder / f"{mail_id}.eml"
