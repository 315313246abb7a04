"""What operators have set about charges, and the terms that follow for one tenant. Inside `control_transaction()`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from uuid import UUID

from sqlalchemy import select

from qikbiz.audit.actions import record_on_platform
from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure
from qikbiz.trust.billing.models import ChargePolicy
from qikbiz.trust.billing.pricing import CENT, CURRENCIES, NOTHING, Terms
from tenants.control import TenantRecord

GENERAL = "general"
MOST = Decimal(100_000)


class BadCharge(Failure):
    """What was given about a charge can't be used; the text says what to change."""


def terms_for(tenant_id: UUID) -> Terms:
    """The general policy with what was set for this tenant put over it."""
    general = db.control.get(ChargePolicy, GENERAL)
    own = db.control.get(ChargePolicy, str(tenant_id))
    fee = own.fee if own is not None and own.fee is not None else general.fee if general else None
    return Terms(
        fee=fee or NOTHING,
        currency=general.currency if general else "EUR",
        per_hour=general.per_hour if general else NOTHING,
        per_gib=general.per_gib if general else NOTHING,
        is_eu=own.is_eu if own else False,
    )


def general_policy() -> ChargePolicy:
    """What stands for everybody; nothing is charged until an operator sets something."""
    kept = db.control.get(ChargePolicy, GENERAL)
    return kept or ChargePolicy(scope=GENERAL, fee=NOTHING, currency="EUR", per_hour=NOTHING, per_gib=NOTHING)


def own_policies() -> Sequence[tuple[ChargePolicy, TenantRecord]]:
    """What stands for single tenants."""
    statement = (
        select(ChargePolicy, TenantRecord)
        .join(TenantRecord, TenantRecord.id == ChargePolicy.tenant_id)
        .order_by(TenantRecord.slug)
    )
    return [(policy, record) for policy, record in db.control.execute(statement)]


def set_general(given: Mapping[str, str]) -> None:
    """Set fee, currency and rates for everybody. Closings that were quoted already keep what they were quoted."""
    currency = given.get("currency", "")
    if currency not in CURRENCIES:
        raise BadCharge(f"The currency must be one of {', '.join(CURRENCIES)}.")
    values = {name: _money(given.get(name, ""), label) for name, label in _LABELS.items()}
    policy = db.control.get(ChargePolicy, GENERAL) or ChargePolicy(scope=GENERAL)
    _change(policy, {**values, "currency": currency}, given.get("reason", ""), "")


def set_for_tenant(slug: str, given: Mapping[str, str]) -> TenantRecord:
    """Set the fee of one tenant (empty: the general one), and whether it is a customer in the European Union."""
    record = db.control.scalar(select(TenantRecord).where(TenantRecord.slug == slug.strip().lower()))
    if record is None or record.state == "closed":
        raise BadCharge(f"There is no tenant at “{slug.strip()}”. Enter the first part of its address.")
    fee = _money(given["fee"], _LABELS["fee"]) if given.get("fee", "").strip() else None
    policy = db.control.get(ChargePolicy, str(record.id)) or ChargePolicy(scope=str(record.id), tenant_id=record.id)
    _change(policy, {"fee": fee, "is_eu": given.get("is_eu") == "1"}, given.get("reason", ""), record.slug)
    return record


_LABELS = {"fee": "The fee", "per_hour": "The cost of an hour", "per_gib": "The cost of a GiB"}


def _change(policy: ChargePolicy, values: Mapping[str, object], reason: str, subject: str) -> None:
    if not reason.strip():
        raise BadCharge("Enter a reason. It is recorded in the audit.")
    before = {name: getattr(policy, name) for name in values}
    for name, value in values.items():
        setattr(policy, name, value)
    policy.reason, policy.changed_at, policy.changed_by_name = reason.strip(), clock.now(), current_actor().name
    db.control.add(policy)
    details = {"before": _plain(before), "after": _plain(values), "reason": policy.reason}
    record_on_platform("charge.set", tenant_id=policy.tenant_id, subject=subject, details=details)


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _money(text: str, label: str) -> Decimal:
    try:
        amount = Decimal(text.strip().replace(",", ".") or "0")
    except InvalidOperation:
        raise BadCharge(f"{label} is “{text.strip()}”; write it as 12.50.") from None
    if not amount.is_finite() or not 0 <= amount <= MOST or amount != amount.quantize(CENT):
        raise BadCharge(f"{label} must be between 0 and {MOST:,}, with at most two decimals.")
    return amount.quantize(CENT)
