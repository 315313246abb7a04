"""The product's HTTP client in the form that Stripe's library takes. Loaded when a payment is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import stripe

from qikbiz.kernel.deadline import Deadline, OutOfTime
from qikbiz.kernel.http_client import OPERATORS_SERVICE, BadAddress, NotAnswered, fetch


class PaymentClient(stripe.HTTPClient):
    """`seconds` are for one request; the library repeats one that got no answer."""

    name = "qikbiz"

    def __init__(self, *, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        try:
            answer = fetch(
                url,
                OPERATORS_SERVICE,
                Deadline(self._seconds),
                method=method.upper(),
                body=post_data,
                headers=headers,
                accepts=None,
            )
        except (BadAddress, NotAnswered, OutOfTime) as error:
            away: Exception = stripe.APIConnectionError(str(error), should_retry=True)  # type: ignore[no-untyped-call]
            raise away from error
        return answer.body.decode(), answer.status, dict(answer.headers.items())

    def close(self) -> None:
        """Each request closes its own connection."""
