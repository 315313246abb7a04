"""Noting something odd: a row with the address, points in Redis, a check by the worker. Never fails the request."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from ipaddress import ip_network
from uuid import UUID

from flask import has_request_context, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from qikbiz.abuse.limiter import count, is_worth_recording
from qikbiz.abuse.marks import mark
from qikbiz.abuse.models import AbuseEvent
from qikbiz.abuse.signals import POINTS, Signal
from qikbiz.abuse.units import Address, normalise, unit_of
from qikbiz.accounts import times
from qikbiz.database import control_work, runtime
from qikbiz.jobs.actions import enqueue_platform
from qikbiz.web.client_address import client_address
from tenants.context import tenant_or_none

CHECK_EVERY_SECONDS = 3
logger = logging.getLogger(__name__)


def note(signal: Signal | str, *, address: Address | str | None = None, account: str | None = None) -> None:
    """Note `signal` of the request at hand (or of `address`). Of `account`, the name
    that was tried, only a MAC is kept.

    The row is written in a transaction of its own, so that a request that fails still leaves its trace.
    """
    where = address or _address_of_request()
    if where is None:
        return
    try:
        points = POINTS[Signal(signal)]
        if points:
            count(where, points)
        if is_worth_recording(where):
            event = _write(
                AbuseEvent(
                    at=times.now(),
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
    except (SQLAlchemyError, ValueError) as error:
        logger.warning("abuse_event_not_noted", extra={"signal": str(signal), "reason": type(error).__name__})


def ask_for_check(event: AbuseEvent) -> None:
    """Have the worker score the event's unit, at most once in a few seconds: one check sees all that came before it.

    The job names the event and not the address: ledgers are kept longer than an address may be.
    """
    slot = int(time.time()) // CHECK_EVERY_SECONDS + 1
    due = datetime.fromtimestamp(slot * CHECK_EVERY_SECONDS, UTC)
    key = f"check:{mark(ip_network(event.unit))}:{slot}"
    with control_work():
        enqueue_platform("checks.address", {"event": str(event.id)}, dedupe_key=key, run_at=due)


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


def _request_id() -> str:
    return str(request.environ.get("qikbiz.request_id", "")) if has_request_context() else ""
