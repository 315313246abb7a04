"""The steps of a closing that nobody clicks: the export is made, dates come near, the erasure begins.

Each is repeatable and looks under a lock whether it is still to be done, so that a worker may die anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from config.fault_injection import fault
from qikbiz.kernel import clock
from qikbiz.kernel.actors import SYSTEM, Actor, acting_as
from qikbiz.kernel.database import control_transaction, db, tenant_transaction
from qikbiz.transfer.exports.actions import ask_for_export
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.selection import Selection
from qikbiz.trust.account_closure import emails, events, notary
from qikbiz.trust.account_closure.actions import begin_retrieval, keep_export
from qikbiz.trust.account_closure.emails import recipients
from qikbiz.trust.account_closure.models import Closing
from qikbiz.trust.account_closure.payments import bill_of
from qikbiz.trust.account_closure.queries import standing_closing
from qikbiz.trust.billing import pricing
from qikbiz.trust.billing.invoices import issue_invoice
from qikbiz.trust.billing.pricing import Terms
from tenants.context import Tenant
from tenants.control import TenantRecord, new_id
from tenants.directory import touch_directory

logger = logging.getLogger(__name__)
WEEK_BEFORE, DAY_BEFORE = timedelta(days=7), timedelta(days=1)


def ensure_export(tenant: Tenant, closing: Closing) -> None:
    """Ask for the export again when the request that accepted the quote died between the two databases.

    When the operator ended the contract nobody of the customer asks, so the program does, and again if one failed.
    """
    is_ours = closing.ended_by == "operator"
    who = SYSTEM if is_ours else Actor("user", closing.accepted_by, closing.accepted_by_name)
    with acting_as(who), tenant_transaction(tenant) as session:
        export = session.get(Export, closing.export_id)
        if export is None:
            ask_for_export(Selection(), export_id=closing.export_id)
            return
        is_lost = is_ours and export.state not in ("waiting", "running", "ready")
    if is_lost:
        with control_transaction() as control:
            control.get_one(Closing, closing.id, with_for_update=True).export_id = new_id()


def settle_closing_of(tenant: Tenant) -> None:
    """An export of the tenant has just been made: perhaps its closing waits for it."""
    closing = standing_closing(tenant.id)
    if closing is not None and closing.state == "exporting":
        settle_export(tenant, closing.id)


def settle_export(tenant: Tenant, closing_id: UUID) -> None:
    """The export is made: write down what it is and what it cost, bill what is to be billed. Otherwise nothing."""
    with control_transaction() as control:
        closing = control.get_one(Closing, closing_id)
        if closing.state != "exporting":
            return
    with tenant_transaction(tenant) as session:
        export = session.get(Export, closing.export_id)
        people = recipients()
    if export is None or export.state != "ready":
        return
    fault("closing.before_settle")
    with control_transaction() as control:
        record = control.get_one(TenantRecord, tenant.id, with_for_update=True)
        closing = control.get_one(Closing, closing_id, with_for_update=True, populate_existing=True)
        if closing.state == "exporting" and closing.export_id == export.id:
            _settle(closing, export)
            events.record_step(closing, "exported", tenant.slug, sha256=closing.export_sha256, cost=str(closing.cost))
            if closing.ended_by == "operator":
                # Nobody has to check it before the time begins: it can be fetched and made anew all that time.
                begin_retrieval(record, closing, tenant, people, closing.retrieval_days)
                return
            facts = {"organisation": tenant.name, "rows": closing.export_rows, "url": emails.page_of(tenant)}
            emails.notify(closing, "exported", f"exported {export.id}", people, facts)
            invoice = issue_invoice(bill_of(closing, tenant.name))
            if invoice is not None:
                control.flush()
                emails.send_invoice(closing, invoice, tenant, people)


def remind(tenant: Tenant, closing_id: UUID) -> None:
    """A week and a day before the erasure, and when an operator gave more time. Each mail once for each date."""
    with tenant_transaction(tenant) as session:
        people = recipients()
        closing = _as_it_stands(closing_id)
        if closing.erase_after and (closing.extended_at or closing.ended_by == "operator"):
            keep_export(closing)
        session.flush()
    fault("closing.before_reminder")
    with control_transaction() as control:
        control.get_one(TenantRecord, tenant.id, with_for_update=True)
        closing = control.get_one(Closing, closing_id, with_for_update=True, populate_existing=True)
        if closing.state != "read_only" or closing.erase_after is None:
            return
        if closing.ended_by == "operator":
            closing.certificate_to = [[person.name, person.email] for person in people]
        _notify_of_extension(closing, tenant, people)
        _notify_of_date(closing, tenant, people)


def is_due(closing: Closing, moment: datetime) -> bool:
    """Whether it may be erased: the time is over, and the last reminder went out a day ago."""
    return (
        closing.state == "read_only"
        and closing.erase_after is not None
        and closing.erase_after <= moment
        and closing.day_told_at is not None
        and closing.day_told_at <= moment - DAY_BEFORE
    )


def begin_erasure(closing_id: UUID) -> bool:
    """From here on there is no way back: the tenant is closed in the same transaction. False when it is not due."""
    with control_transaction() as control:
        found = control.get_one(Closing, closing_id)
        record = control.get_one(TenantRecord, found.tenant_id, with_for_update=True)
        closing = control.get_one(Closing, closing_id, with_for_update=True, populate_existing=True)
        if not is_due(closing, clock.now()):
            return False
        if not notary.may_erase(record.id):
            # This row says that the time is over; who keeps the time says that it is not.
            logger.error("closing_ahead_of_notary", extra={"closing": str(closing_id)})
            return False
        closing.state, record.state = "erasing", "closed"
        record.epoch += 1
        touch_directory(control, record)
        events.record_step(closing, "erasing", record.slug)
    return True


@contextmanager
def locking(closing_id: UUID) -> Iterator[bool]:
    """The database is told to refuse changes inside the block, if it gives True.

    The closing is held meanwhile: it can't be called off between the look and the act, which would leave an account
    that is open and locked.
    """
    with control_transaction() as control:
        closing = control.get_one(Closing, closing_id, with_for_update=True, populate_existing=True)
        is_wanted = closing.state == "read_only"
        yield is_wanted
        if is_wanted:
            closing.locked_at = closing.locked_at or clock.now()


@contextmanager
def reopening(closing_id: UUID) -> Iterator[bool]:
    """The same the other way round: the database allows changes inside the block, and the request pipeline after it."""
    with control_transaction() as control:
        found = control.get_one(Closing, closing_id)
        record = control.get_one(TenantRecord, found.tenant_id, with_for_update=True)
        closing = control.get_one(Closing, closing_id, with_for_update=True, populate_existing=True)
        is_wanted = closing.state == "reopening"
        yield is_wanted
        if is_wanted:
            closing.state, closing.locked_at = "cancelled", None
            record.read_only_until = None
            touch_directory(control, record)


def _as_it_stands(closing_id: UUID) -> Closing:
    with control_transaction() as control:
        return control.get_one(Closing, closing_id)


def _settle(closing: Closing, export: Export) -> None:
    terms, moment = Terms.from_json(closing.quote["terms"]), clock.now()
    closing.state, closing.exported_at = "exported", moment
    closing.export_sha256, closing.export_bytes = export.file_sha256 or "", export.file_bytes or 0
    closing.export_rows = export.manifest["totals"]["rows"]
    if closing.charge is not None:
        # Made once more: the first one is what was paid for.
        return
    closing.work_seconds = export.work_seconds or 0
    closing.cost = pricing.cost(terms, seconds=closing.work_seconds, size=closing.export_bytes)
    closing.charge = pricing.charge(closing.quote_amount, closing.cost, terms, moment)


def _notify_of_extension(closing: Closing, tenant: Tenant, people: list[emails.Recipient]) -> None:
    if closing.extended_at is None or (closing.extension_told_at or closing.asked_at) >= closing.extended_at:
        return
    _notify(closing, "extended", tenant, people)
    closing.extension_told_at = clock.now()


def _notify_of_date(closing: Closing, tenant: Tenant, people: list[emails.Recipient]) -> None:
    assert closing.erase_after is not None
    left, moment = closing.erase_after - clock.now(), clock.now()
    if left <= DAY_BEFORE and closing.day_told_at is None:
        closing.week_told_at = closing.week_told_at or moment
        closing.day_told_at = moment
        notary.warn_of_erasure(closing.id)
        if closing.erase_after < moment + DAY_BEFORE:
            # Late, because nothing ran for a while: the day that was promised is still given.
            closing.erase_after = moment + DAY_BEFORE
            notary.extend_retrieval(closing.id, closing.erase_after)
            _follow(closing)
        _notify(closing, "reminder", tenant, people, step="day")
    elif left <= WEEK_BEFORE and closing.week_told_at is None:
        closing.week_told_at = moment
        _notify(closing, "reminder", tenant, people, step="week")


def _follow(closing: Closing) -> None:
    record = db.control.get_one(TenantRecord, closing.tenant_id, with_for_update=True)
    if record.read_only_until != closing.erase_after:
        record.read_only_until = closing.erase_after
        touch_directory(db.control(), record)


def _notify(closing: Closing, template: str, tenant: Tenant, people: list[emails.Recipient], *, step: str = "") -> None:
    assert closing.erase_after is not None
    facts = {"organisation": tenant.name, "until": closing.erase_after, "url": emails.page_of(tenant)}
    facts["by_us"] = closing.ended_by == "operator"
    emails.notify(closing, template, f"{step or template} {closing.erase_after:%Y-%m-%d}", people, facts)
    events.record_step(
        closing, "reminded" if step else "extension_told", tenant.slug, until=closing.erase_after.isoformat()
    )
