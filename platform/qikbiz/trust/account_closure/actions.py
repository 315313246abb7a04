"""What the customer's administrators do about closing their account. Each act is one step, done once.

The tenant's row is locked for each, so that two administrators at once, or a second click, meet what the first did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation

from sqlalchemy import update

from qikbiz.identity.accounts.models import User
from qikbiz.jobs.actions import enqueue_platform
from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import control_transaction, db
from qikbiz.kernel.errors import Conflict, Failure
from qikbiz.transfer.exports.actions import ask_for_export
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.selection import Selection
from qikbiz.trust.account_closure import emails, events, notary
from qikbiz.trust.account_closure.emails import recipients
from qikbiz.trust.account_closure.models import Closing
from qikbiz.trust.account_closure.queries import open_closing_of, standing_closing
from qikbiz.trust.billing import pricing
from qikbiz.trust.billing.invoices import void_invoice
from qikbiz.trust.billing.policies import terms_for
from tenants.context import Tenant, current_tenant
from tenants.control import TenantRecord, new_id
from tenants.directory import touch_directory

SHORTEST, LONGEST = 30, 90
LONGEST_REASON = 1000
CHECKED_CHARACTERS = 8
BEFORE_READ_ONLY = ("asked", "exporting", "exported", "confirmed")


ENDED_BY_US = (
    "QikBiz ended this contract, so you can't cancel it here. If you think this is a mistake, contact support "
    "under Help."
)


class BadAnswer(Failure):
    """Something typed on the way is not what was asked for; the text says what to type."""


def ask_to_close(*, reason: str, typed: str) -> Closing:
    """Begin, with the quote made now. Asking again, by whomever, gives the closing that stands already."""
    tenant, people, actor = current_tenant(), recipients(), current_actor()
    if " ".join(typed.split()) != tenant.name:
        raise BadAnswer(f"Type the name of your organisation exactly as shown: {tenant.name}")
    if len(reason) > LONGEST_REASON:
        raise BadAnswer(f"The reason has {len(reason):,} characters; {LONGEST_REASON:,} is the maximum.")
    with control_transaction() as control:
        record = control.get_one(TenantRecord, tenant.id, with_for_update=True)
        standing = open_closing_of(tenant.id)
        if standing is None:
            _refuse_unless_active(record)
            standing = _begin(record, reason.strip())
            control.flush()
            events.record_step(standing, "asked", tenant.slug, quote=f"{standing.quote_amount} {standing.currency}")
            facts = {"organisation": tenant.name, "person": actor.name, "url": emails.page_of(tenant)}
            emails.notify(standing, "asked", "asked", people, facts)
    events.update_tenant_audit(standing.id)
    return standing


def change_reason(reason: str) -> None:
    """Going back to the first step: what was written there may be written anew."""
    if len(reason) > LONGEST_REASON:
        raise BadAnswer(f"The reason has {len(reason):,} characters; {LONGEST_REASON:,} is the maximum.")
    with _changing(*BEFORE_READ_ONLY) as (_, closing):
        closing.reason = reason.strip()


def accept_quote(amount: str) -> Closing:
    """Accept what the page showed, and have the export made. Raises Conflict when another quote stands."""
    tenant, people, actor, export_id = current_tenant(), recipients(), current_actor(), new_id()
    standing = standing_closing(tenant.id)
    if standing is not None and standing.accepted_at is not None:
        return standing
    # First, so that what is refused here leaves the quote open; both are committed or the job that advances closings
    # asks for the export again.
    ask_for_export(Selection(), export_id=export_id)
    with _changing("asked") as (_, closing):
        if closing.quote_amount != _amount(amount):
            raise Conflict("The quote has changed. Review it before you accept.")
        closing.state, closing.export_id = "exporting", export_id
        closing.accepted_at, closing.accepted_by, closing.accepted_by_name = clock.now(), actor.id, actor.name
        events.record_step(closing, "accepted", tenant.slug, quote=f"{closing.quote_amount} {closing.currency}")
        facts = {
            "organisation": tenant.name,
            "person": actor.name,
            "amount": f"{closing.quote_amount} {closing.currency}",
            "is_free": closing.quote_amount == 0,
            "url": emails.page_of(tenant),
        }
        emails.notify(closing, "accepted", "accepted", people, facts)
    events.update_tenant_audit(closing.id)
    return closing


def make_export_again() -> Closing:
    """Another export in the place of one that failed, expired or was deleted, or of an older state of the records."""
    tenant, export_id = current_tenant(), new_id()
    standing = standing_closing(tenant.id)
    if standing is not None and standing.state == "exporting" and _is_being_made(standing):
        return standing
    ask_for_export(Selection(), export_id=export_id)
    with _changing("exporting", "exported", "confirmed") as (_, closing):
        closing.state, closing.export_id = "exporting", export_id
        closing.export_sha256, closing.exported_at, closing.confirmed_at = "", None, None
        events.record_step(closing, "export_asked_again", tenant.slug)
    events.update_tenant_audit(closing.id)
    return closing


def confirm_checksum(typed: str) -> Closing:
    """The person has the file and computed its SHA-256; the last characters of it are proof enough of a whole file."""
    tenant = current_tenant()
    with _changing("exported", "confirmed") as (_, closing):
        given = "".join(typed.split()).lower()
        # The whole sum, as the page computes it, or its end, as a person types it.
        if len(given) < CHECKED_CHARACTERS or not closing.export_sha256.endswith(given):
            raise BadAnswer(
                "This checksum does not match the export. Choose the file again. If it still differs, the download "
                "is incomplete: download the file again."
            )
        if closing.state == "exported":
            closing.state, closing.confirmed_at = "confirmed", clock.now()
            events.record_step(closing, "confirmed", tenant.slug, sha256=closing.export_sha256)
    events.update_tenant_audit(closing.id)
    return closing


def start_retrieval(days: int) -> Closing:
    """From now on nothing is changed any more; after `days` everything is erased."""
    tenant, people = current_tenant(), recipients()
    if not SHORTEST <= days <= LONGEST:
        raise BadAnswer(f"Choose between {SHORTEST} and {LONGEST} days.")
    standing = standing_closing(tenant.id)
    if standing is not None and standing.state == "read_only":
        return standing
    with _changing("confirmed") as (record, closing):
        begin_retrieval(record, closing, tenant, people, days)
    keep_export(closing)
    events.update_tenant_audit(closing.id)
    return closing


def begin_retrieval(
    record: TenantRecord, closing: Closing, tenant: Tenant, people: Sequence[emails.Recipient], days: int
) -> None:
    """The account becomes read-only for `days`, in the current control transaction, which holds both rows."""
    closing.state, closing.retrieval_days = "read_only", days
    closing.read_only_at, closing.erase_after = notary.begin_retrieval(closing.id, record.id, days)
    record.read_only_until = closing.erase_after
    touch_directory(db.control(), record)
    events.record_step(closing, "read_only", tenant.slug, until=closing.erase_after.isoformat(), days=days)
    facts = {"organisation": tenant.name, "until": closing.erase_after, "days": days, "url": emails.page_of(tenant)}
    emails.notify(closing, "read_only", "read_only", people, facts | {"by_us": closing.ended_by == "operator"})
    advance_soon(closing)


def cancel() -> Closing:
    """Stay a customer. Possible until the erasure begins; the records can be changed again within seconds."""
    tenant, people, actor = current_tenant(), recipients(), current_actor()
    with _changing(*BEFORE_READ_ONLY, "read_only", "reopening") as (_, closing):
        if closing.state != "reopening":
            cancel_as(closing, tenant, people, actor.name)
    events.update_tenant_audit(closing.id)
    return closing


def cancel_as(closing: Closing, tenant: Tenant, people: Sequence[emails.Recipient], person: str, **why: str) -> None:
    """The account goes on, in the current control transaction. `person` is shown as who decided it."""
    was = closing.state
    notary.cancel_retrieval(closing.id)
    closing.state = "reopening" if was == "read_only" else "cancelled"
    closing.cancelled_at = clock.now()
    void_invoice(closing.id)
    events.record_step(closing, "cancelled", tenant.slug, was=was, **why)
    facts = {"organisation": tenant.name, "person": person, "url": emails.page_of(tenant)}
    emails.notify(closing, "cancelled", "cancelled", people, facts)
    advance_soon(closing)


def keep_export(closing: Closing) -> None:
    """Inside the tenant: the checked file is kept for as long as anything is."""
    kept = update(Export).where(Export.id == closing.export_id, Export.state == "ready")
    db.session.execute(kept.values(expires_at=closing.erase_after))


def advance_soon(closing: Closing) -> None:
    """Have the job that advances closings look now, and not only at its next round."""
    enqueue_platform("account_closures.advance", {"closing": str(closing.id)})


@contextmanager
def _changing(*states: str) -> Iterator[tuple[TenantRecord, Closing]]:
    """The closing of the tenant entered, locked, if it stands in one of `states`. Raises Conflict."""
    with control_transaction() as control:
        record = control.get_one(TenantRecord, current_tenant().id, with_for_update=True)
        closing = open_closing_of(record.id)
        if closing is None:
            raise Conflict("This account is not being closed.")
        control.refresh(closing)
        if closing.ended_by == "operator":
            raise Conflict(ENDED_BY_US)
        if closing.state not in states:
            raise Conflict("The status of the account closure has changed. Review it before you continue.")
        yield record, closing


def _begin(record: TenantRecord, reason: str) -> Closing:
    terms, moment, actor = terms_for(record.id), clock.now(), current_actor()
    offered = pricing.quote(terms, moment)
    closing = Closing(
        id=new_id(),
        tenant_id=record.id,
        state="asked",
        reason=reason,
        asked_at=moment,
        asked_by=actor.id,
        asked_by_name=actor.name,
        asked_by_email=db.session.get_one(User, actor.id).email,
        quote={"terms": terms.as_json(), "reasons": list(offered.reasons), "at": moment.isoformat()},
        quote_amount=offered.amount,
        currency=offered.currency,
    )
    db.control.add(closing)
    return closing


def _refuse_unless_active(record: TenantRecord) -> None:
    # A suspended customer may always leave.
    if record.state not in ("active", "suspended"):
        raise Conflict("This account can't be closed from here at the moment.")


def _is_being_made(closing: Closing) -> bool:
    export = db.session.get(Export, closing.export_id)
    return export is not None and export.state in ("waiting", "running")


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BadAnswer("Review the quote and accept it with its button.") from None
