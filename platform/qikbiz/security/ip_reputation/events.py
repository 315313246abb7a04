"""Noting something odd: a row with the address, points in Redis, a check by the worker. Never fails the request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network
from uuid import UUID

from flask import g, has_request_context, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from qikbiz.jobs.actions import enqueue_platform
from qikbiz.kernel import clock
from qikbiz.kernel.database import control_transaction, runtime
from qikbiz.kernel.networks import Address, normalise, unit_of
from qikbiz.security.ip_reputation.models import AbuseEvent
from qikbiz.security.ip_reputation.points import begin_try, count, is_worth_recording
from qikbiz.security.ip_reputation.pseudonyms import mark
from qikbiz.security.ip_reputation.signals import NOISE, POINTS, Signal
from qikbiz.web.client_address import client_address
from qikbiz.web.csrf import is_cross_site
from tenants.context import tenant_or_none

CHECK_EVERY_SECONDS = 3
logger = logging.getLogger(__name__)


def record_event(
    signal: Signal | str,
    *,
    address: Address | str | None = None,
    account: str | None = None,
    counted: int = 0,
    is_sign_in: bool = False,
) -> None:
    """Record `signal` of the current request (or of `address`). Of `account`, the name
    that was tried, only a MAC is kept. `counted` points were counted when the try began.

    What another site's page made a browser do is nobody's act, and is not recorded; nor is what a signed-in user does,
    unless it is a try of a sign-in form (`is_sign_in`), which counts as a stranger's act.
    The row is written in a transaction of its own, so that a request that fails still leaves its trace.
    """
    where = address or _address_of_request()
    if where is None or (address is None and POINTS[Signal(signal)] and _is_spared(is_sign_in=is_sign_in)):
        return
    try:
        _count_and_write(Signal(signal), where, account, counted)
    except (SQLAlchemyError, ValueError) as error:
        logger.warning("abuse_event_not_noted", extra={"signal": str(signal), "reason": type(error).__name__})


def begin_sign_in_try() -> tuple[int, Callable[[], None]]:
    """Count a try of a sign-in form before it is looked at. Raises TooMany.

    Returns the points counted, for `note`, and what gives them back when the try was right.
    """
    points = POINTS[Signal.LOGIN_FAILED]
    where = client_address(request.environ, runtime().settings.trusted_proxies)
    return points, begin_try(where, points, _tenant_id())


def _count_and_write(signal: Signal, where: Address | str, account: str | None, counted: int) -> None:
    points = POINTS[signal]
    if points and signal not in NOISE:
        count(where, points - counted)
    if not is_worth_recording(where, counter="noise-rows" if signal in NOISE else "rows"):
        return
    event = _write(
        AbuseEvent(
            at=clock.now(),
            kind=str(signal),
            address=str(normalise(where)),
            unit=str(unit_of(where)),
            tenant_id=_tenant_id(),
            account_mac=account_mac(account) if account else None,
            request_id=_request_id(),
        )
    )
    if points:
        ask_for_check(event)


def ask_for_check(event: AbuseEvent) -> None:
    """Have the worker score the event's unit, at most once in a few seconds: one check sees all that came before it.

    The job names the event and not the address: ledgers are kept longer than an address may be.
    """
    slot = int(time.time()) // CHECK_EVERY_SECONDS + 1
    due = datetime.fromtimestamp(slot * CHECK_EVERY_SECONDS, UTC)
    key = f"check:{mark(ip_network(event.unit))}:{slot}"
    with control_transaction():
        enqueue_platform("ip_reputation.check", {"event": str(event.id)}, dedupe_key=key, run_at=due)


def account_mac(account: str) -> str:
    """A keyed hash of the account's name: enough to count distinct ones, not enough to read one."""
    return runtime().settings.keys.mac("abuse-account", account.strip().casefold().encode()).hex()[:24]


def _write(event: AbuseEvent) -> AbuseEvent:
    with Session(runtime().control, expire_on_commit=False) as session, session.begin():
        session.add(event)
    return event


def _tenant_id() -> UUID | None:
    tenant = tenant_or_none()
    return tenant.id if tenant else None


def _address_of_request() -> Address | None:
    if not has_request_context():
        return None
    return client_address(request.environ, runtime().settings.trusted_proxies)


def _is_spared(*, is_sign_in: bool) -> bool:
    # Flask-Login's own note of who is there: not asked for anew while that is being found out.
    is_signed_in = getattr(g.get("_login_user"), "is_authenticated", False)
    return is_cross_site() or (is_signed_in and not is_sign_in)


def _request_id() -> str:
    return str(request.environ.get("qikbiz.request_id", "")) if has_request_context() else ""
