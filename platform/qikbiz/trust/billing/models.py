"""What operators charge, and what was billed and paid, in the control database, which outlives the tenant."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.control import ControlModel

MONEY = Numeric(12, 2)


class ChargePolicy(ControlModel):
    """What operators set: for everybody (scope "general"), or for the tenant whose id is the scope.

    A `fee` of nothing means the general one. The rates say what an hour of work and a GiB cost us: the cap.
    """

    __tablename__ = "charge_policies"
    __table_args__ = (CheckConstraint("fee >= 0 and per_hour >= 0 and per_gib >= 0", name="not_negative"),)

    scope: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID | None]
    fee: Mapped[Decimal | None] = mapped_column(MONEY)
    currency: Mapped[str] = mapped_column(server_default="EUR")
    per_hour: Mapped[Decimal] = mapped_column(MONEY, server_default="0")
    per_gib: Mapped[Decimal] = mapped_column(MONEY, server_default="0")
    is_eu: Mapped[bool] = mapped_column(server_default=text("false"))
    reason: Mapped[str] = mapped_column(server_default="")
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_by_name: Mapped[str] = mapped_column(server_default="")


class Invoice(ControlModel):
    """The bill of one closing. Tax law has it kept: number, amount and whom it was for outlive the erasure."""

    __tablename__ = "closing_invoices"
    __table_args__ = (
        CheckConstraint("state in ('open', 'paid', 'void')", name="state"),
        CheckConstraint("amount > 0", name="amount"),
    )

    number: Mapped[str] = mapped_column(primary_key=True)
    closing_id: Mapped[UUID] = mapped_column(unique=True)
    tenant_id: Mapped[UUID] = mapped_column(index=True)
    billed_to: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[str]
    lines: Mapped[dict[str, object]]
    issued_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="open")
    paid_at: Mapped[datetime | None]
    paid_by: Mapped[str] = mapped_column(server_default="")
    payment_reference: Mapped[str] = mapped_column(server_default="")
    checkout_id: Mapped[str] = mapped_column(server_default="")


class PaymentEvent(ControlModel):
    """One message of the payment service, by its own id: the same message twice is one."""

    __tablename__ = "payment_events"

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    kind: Mapped[str]
    invoice_number: Mapped[str] = mapped_column(server_default="")
    outcome: Mapped[str]
