"""What the export at the end costs: nothing, unless an operator set a fee, and never more than it cost us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from typing import Any

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")
GIB = Decimal(1024**3)
HOUR = Decimal(3600)
# Regulation (EU) 2023/2854, Article 29(1). From the moment that it is this day anywhere, in the customer's favour.
FREE_IN_EU_FROM = datetime(2027, 1, 12, tzinfo=timezone(timedelta(hours=14)))
CURRENCIES = ("EUR", "USD", "GBP", "CHF")


@dataclass(frozen=True, slots=True)
class Terms:
    """What stands for one customer. `per_hour` and `per_gib` are our own costs, in the same currency as the fee."""

    fee: Decimal = NOTHING
    currency: str = "EUR"
    per_hour: Decimal = NOTHING
    per_gib: Decimal = NOTHING
    is_eu: bool = False

    def as_json(self) -> dict[str, object]:
        money = {name: str(getattr(self, name)) for name in ("fee", "per_hour", "per_gib")}
        return {**money, "currency": self.currency, "is_eu": self.is_eu}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Terms:
        money = {name: Decimal(kept[name]) for name in ("fee", "per_hour", "per_gib")}
        return cls(**money, currency=kept["currency"], is_eu=kept["is_eu"])


@dataclass(frozen=True, slots=True)
class Quote:
    """The most that will be charged, and why, in sentences for the customer."""

    amount: Decimal
    currency: str
    reasons: tuple[str, ...]


def quote(terms: Terms, moment: datetime) -> Quote:
    """What is offered at `moment`, before any work starts."""
    if is_free_by_law(terms, moment):
        reason = (
            "You are a customer in the European Union, where closing an account is free since 12 January 2027 "
            "(Regulation (EU) 2023/2854, Article 29)."
        )
        return Quote(NOTHING, terms.currency, (reason,))
    if terms.fee <= 0:
        return Quote(NOTHING, terms.currency, ("The export and the account closure are free.",))
    return Quote(
        terms.fee,
        terms.currency,
        (
            f"The fee for the export is {terms.fee} {terms.currency}. You never pay more than this.",
            f"We measure our cost of creating the export: {terms.per_hour} {terms.currency} per hour of work and "
            f"{terms.per_gib} {terms.currency} per GiB. If our cost is less than the fee, you pay only our cost.",
            "You keep access to your data for the full time, whether or not the invoice is paid.",
        ),
    )


def cost(terms: Terms, *, seconds: int, size: int) -> Decimal:
    """What making an export of `size` bytes in `seconds` of work cost us, rounded down."""
    exact = terms.per_hour * Decimal(seconds) / HOUR + terms.per_gib * Decimal(size) / GIB
    return exact.quantize(CENT, ROUND_DOWN)


def charge(quoted: Decimal, recorded_cost: Decimal, terms: Terms, moment: datetime) -> Decimal:
    """What is billed: never more than was accepted, nor than it cost; nothing where the law says so meanwhile."""
    if is_free_by_law(terms, moment):
        return NOTHING
    return min(quoted, recorded_cost)


def is_free_by_law(terms: Terms, moment: datetime) -> bool:
    return terms.is_eu and moment.astimezone(UTC) >= FREE_IN_EU_FROM


def minor_units(amount: Decimal) -> int:
    """Cents, as payment services count. All CURRENCIES have two decimals."""
    return int((amount * 100).to_integral_value(ROUND_CEILING))
