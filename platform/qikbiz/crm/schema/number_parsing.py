"""Dates, amounts and yes-or-no as people and spreadsheets write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import Literal

from qikbiz.crm.schema.normalize import fold, plain
from qikbiz.crm.schema.validation import FieldProblem

DateOrder = Literal["", "dmy", "mdy"]
# As spreadsheets and people write them in the languages of the headings; without accents, as `fold` leaves them.
TRUE_WORDS = frozenset({
    "yes", "y", "true", "t", "1", "x", "on", "checked", "ja", "wahr", "oui", "vrai", "si", "verdadero", "vero",
    "sim", "verdadeiro", "sant", "sand", "kylla", "tosi", "waar", "tak", "prawda", "ano", "pravda", "igen", "igaz",
    "da", "adevarat", "tocno", "istina", "evet", "dogru", "да",
    "так", "истина", "ναι", "αληθες", "はい", "是", "真",  # noqa: RUF001
    "예", "참",
})  # fmt: skip
FALSE_WORDS = frozenset({
    "no", "n", "false", "f", "0", "off", "unchecked", "nein", "falsch", "non", "faux", "falso", "nao", "nej",
    "falskt", "falsk", "ei", "epatosi", "nee", "onwaar", "nie", "falsz", "ne", "nepravda", "nem", "hamis", "nu",
    "fals", "netocno", "hayir", "yanlıs", "yanlis", "нет", "ні", "ложь",  # noqa: RUF001
    "хибність", "οχι", "ψευδες", "いいえ", "否", "假", "아니요",
    "거짓",
})  # fmt: skip
_ISO_DATE = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?$")
_COMPACT_DATE = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_OTHER_DATE = re.compile(r"^(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?: .*)?$")
_AMOUNT = re.compile(r"^-?\d+(\.\d+)?$")
_CURRENCY_SIGNS = "€$£¥₹ "
LARGEST_AMOUNT = Decimal("9999999999999999.99")
LARGEST_INTEGER = 2**63 - 1


def parse_date(text: str, order: DateOrder = "") -> date:
    """ISO first; with points day first; with slashes as `order` says, or when only one reading is possible."""
    written = plain(text)
    iso = _ISO_DATE.match(written) or _COMPACT_DATE.match(written)
    if iso:
        return _date(written, int(iso[1]), int(iso[2]), int(iso[3]))
    other = _OTHER_DATE.match(written)
    if not other:
        raise _date_problem(written)
    first, mark, second, year = int(other[1]), other[2], int(other[3]), int(other[4])
    day_first = _is_day_first(written, first, second, "dmy" if mark == "." else order)
    day, month = (first, second) if day_first else (second, first)
    return _date(written, year, month, day)


def parse_timestamp(text: str) -> datetime:
    """An ISO moment; without a zone it is UTC."""
    written = plain(text)
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise FieldProblem(f"“{written}” is not a date and time.", "Write it like 2026-11-03T14:05:00+01:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_integer(text: str, decimal_mark: str = ".") -> int:
    amount = _decimal(text, decimal_mark)
    if amount != amount.to_integral_value() or not 0 <= amount <= LARGEST_INTEGER:
        raise FieldProblem(f"“{plain(text)}” is not a whole number.", "Use digits only, such as 1200.")
    return int(amount)


def parse_money(text: str, decimal_mark: str = ".") -> Decimal:
    """At most two decimals, never rounded silently."""
    amount = _decimal(text, decimal_mark)
    exact = amount.quantize(Decimal("0.01"))
    if exact != amount:
        raise FieldProblem(f"“{plain(text)}” has more than two decimals.", "Round it to cents.")
    return exact


def parse_currency(text: str) -> str:
    code = plain(text).upper()
    if code not in currencies():
        raise FieldProblem(f"“{plain(text)}” is not a currency.", "Use its three-letter code, such as EUR or USD.")
    return code


@cache
def currencies() -> tuple[str, ...]:
    """Every currency in use, by its ISO 4217 code."""
    return tuple(resources.files("qikbiz.crm.schema").joinpath("currencies.txt").read_text("utf-8").split())


def parse_boolean(text: str) -> bool:
    word = fold(plain(text))
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise FieldProblem(f"“{plain(text)}” is neither yes nor no.", "Write yes or no.")


def _decimal(text: str, mark: str) -> Decimal:
    written = plain(text)
    grouping = "," if mark == "." else "."
    # Thousands are set apart by spaces of every kind, and in Switzerland by apostrophes.
    digits = re.sub(r"[\s'\u2019]", "", written.strip(_CURRENCY_SIGNS))
    if not _is_well_grouped(digits, grouping, mark):
        raise _amount_problem(written, mark)
    digits = digits.replace(grouping, "").replace(mark, ".")
    if not _AMOUNT.match(digits):
        raise _amount_problem(written, mark)
    try:
        amount = Decimal(digits)
    except InvalidOperation:
        raise _amount_problem(written, mark) from None
    if abs(amount) > LARGEST_AMOUNT:
        raise FieldProblem(f"“{written[:40]}” is too large.", "The largest amount has sixteen digits.")
    return amount


def _is_well_grouped(digits: str, grouping: str, mark: str) -> bool:
    # 1,5 must not silently become 15 where the comma groups thousands.
    if grouping not in digits:
        return True
    whole = digits.split(mark, maxsplit=1)[0].lstrip("-").split(grouping)
    return (
        1 <= len(whole[0]) <= 3
        and all(len(part) == 3 for part in whole[1:])
        and grouping not in digits.partition(mark)[2]
    )


def _is_day_first(written: str, first: int, second: int, order: DateOrder) -> bool:
    if order:
        return order == "dmy"
    if first > 12 or first == second:
        return True
    if second > 12:
        return False
    raise FieldProblem(f"“{written}” is ambiguous.", "Choose whether the day or the month comes first.")


def _date(written: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise _date_problem(written) from None


def _date_problem(written: str) -> FieldProblem:
    return FieldProblem(f"“{written[:40]}” is not a date.", "Write it like 2026-11-03.")


def _amount_problem(written: str, mark: str) -> FieldProblem:
    return FieldProblem(f"“{written[:40]}” is not a number.", f"Write it like 1234{mark}50.")
