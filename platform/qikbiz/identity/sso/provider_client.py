"""Asking an identity provider's servers. An administrator names them, so they are asked as strangers are."""

from __future__ import annotations

import json
from urllib.parse import SplitResult

from qikbiz.identity.sso.failures import ProviderAway
from qikbiz.kernel import http_client
from qikbiz.kernel.database import runtime
from qikbiz.kernel.deadline import Deadline, OutOfTime
from qikbiz.kernel.http_client import AddressRule, BadAddress, NotAnswered

# For everything that one request of ours asks together.
SECONDS = 5.0
# What a token endpoint refuses is JSON too.
_ANSWERS = (200, 400, 401)


def new_deadline() -> Deadline:
    return Deadline(SECONDS)


def check_address(url: str) -> SplitResult:
    """The parts of an address of a provider. Raises BadAddress for one that is never asked."""
    return http_client.check_address(url, _rule())


def fetch(
    url: str, deadline: Deadline, *, body: str | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    """The status and the JSON object that the address answers with; a POST with a body. Raises ProviderAway."""
    sent = {"Accept": "application/json", **(headers or {})}
    method = "GET" if body is None else "POST"
    try:
        answer = http_client.fetch(url, _rule(), deadline, method=method, body=body, headers=sent, accepts=_ANSWERS)
    except OutOfTime:
        raise ProviderAway("It did not answer in time.") from None
    except (BadAddress, NotAnswered) as why:
        raise ProviderAway(str(why)) from why
    return answer.status, _json(answer.body)


def _rule() -> AddressRule:
    settings = runtime().settings
    allows_private = settings.sso_private_issuers
    return AddressRule(
        allows_private=allows_private, allows_plain_loopback=allows_private and not settings.is_production
    )


def _json(raw: bytes) -> dict[str, object]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ProviderAway("Its answer is not a JSON object.")
    return document
