"""Keeping machines out of forms that anyone may send, without a puzzle and without anybody else's service.

A field that people don't see, a form that was open for at least a moment, limits for each network and address, and a
look at the text. A sender who is refused reads why and keeps what was typed; only the unseen field is met with silence.
"""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import request

from config.keys import SealBroken
from qikbiz.identity.accounts.realms import Realm
from qikbiz.kernel import clock
from qikbiz.kernel.database import runtime
from qikbiz.kernel.networks import wider_units
from qikbiz.security.ip_reputation.pseudonyms import mark
from qikbiz.security.rate_limits.limits import Limit, keep_within
from qikbiz.trust.tickets.texts import BadQuestion
from qikbiz.web.client_address import client_address, unit
from qikbiz.web.request_context import destination

SHORTEST, LONGEST = timedelta(seconds=3), timedelta(hours=24)
MOST_LINKS = 3
_PURPOSE = "form-stamp"
_HOUR, _DAY = 3600, 86_400
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_MARKUP = re.compile(r"<a\s|\[url|\[link|<script", re.IGNORECASE)
_ALPHABETS = ("LATIN", "CYRILLIC", "GREEK")


class SentByMachine(Exception):
    """The unseen field was filled in. The sender gets no message."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a form was opened, and a word that stands for this one form."""

    opened: datetime
    once: str


def new_stamp() -> str:
    """For the form's hidden field: sealed, and good at this host only."""
    stamp = {"at": clock.now().timestamp(), "once": secrets.token_hex(12)}
    return runtime().settings.keys.seal(_PURPOSE, json.dumps(stamp).encode(), bound_to=destination().host)


def check_form(*, unseen: str, stamp: str) -> Stamp:
    """Look at what a form sent in the two fields that it has for this. Raises SentByMachine or BadQuestion."""
    if unseen:
        raise SentByMachine
    opened = _stamp(stamp)
    age = clock.now() - opened.opened
    if age < SHORTEST:
        raise BadQuestion("The form was submitted too quickly. Wait a moment and send it again.")
    if age > LONGEST:
        raise BadQuestion("This form has expired. Your message is still here: send it again.")
    return opened


def check_text(*texts: str) -> None:
    """Raises BadQuestion for what only advertising looks like."""
    whole = "\n".join(texts)
    if _MARKUP.search(whole):
        raise BadQuestion("Use plain text without HTML or other markup.")
    if len(_LINK.findall(whole)) > MOST_LINKS:
        raise BadQuestion(f"The message has more than {MOST_LINKS} links. Send the most important ones first.")
    if sum(_mixes_alphabets(word) for word in whole.split()) > 1:
        raise BadQuestion("Some words mix letters of different alphabets. Use one alphabet per word.")


def count_sender(email: str) -> None:
    """Count one question of this network and this address. Raises TooMany."""
    here = unit(client_address(request.environ, runtime().settings.trusted_proxies))
    keep_within(
        Realm(None, destination().host),
        [
            Limit(f"question:unit:{mark(here)}", 5, _HOUR),
            Limit(f"question:wider:{mark(wider_units(here)[-1])}", 30, _HOUR),
            count_of_address(email),
            Limit("question:all", 500, _HOUR),
        ],
    )


def count_of_address(email: str) -> Limit:
    """How many questions may come from one address, by form or by mail."""
    digest = runtime().settings.keys.mac("throttle", email.strip().casefold().encode("utf-8", "replace")).hex()[:24]
    return Limit(f"question:from:{digest}", 10, _DAY)


def _stamp(sealed: str) -> Stamp:
    try:
        opened = runtime().settings.keys.open(_PURPOSE, sealed, bound_to=destination().host)
    except SealBroken:
        raise BadQuestion("This form is invalid or has expired. Send it again.") from None
    stamp = json.loads(opened.plaintext)
    return Stamp(datetime.fromtimestamp(stamp["at"], UTC), str(stamp["once"]))


def _mixes_alphabets(word: str) -> bool:
    names = {unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()}
    return len(names.intersection(_ALPHABETS)) > 1
