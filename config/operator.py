"""Who runs this installation and where: the operator's statements that the public pages have to show.

A start in production is refused while any is missing: a privacy statement has to name who makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COMPANY_NAME, COMPANY_ADDRESS = "QIKBIZ_COMPANY_NAME", "QIKBIZ_COMPANY_ADDRESS"
HOSTING, SUBPROCESSORS = "QIKBIZ_HOSTING", "QIKBIZ_SUBPROCESSORS"
_NO_ONE = "none"
_LONGEST = 2_000
_MISSING = {
    COMPANY_NAME: "Give the name of the company that runs this service, as in its contracts.",
    COMPANY_ADDRESS: "Give its postal address, the lines separated by commas.",
    HOSTING: "Say where the servers stand, such as “Frankfurt, Germany”.",
    SUBPROCESSORS: "Name everyone else who gets to handle customers' data, such as "
    "“Example Mail Ltd (Dublin, Ireland): sends emails; …”, or “none”.",
}


class OperatorUnknown(ValueError):
    """Something about the operator is missing or can't be shown; the text says what to set."""


@dataclass(frozen=True)
class Operator:
    """As the pages show it. `subprocessors` is None until the operator says whether there are any."""

    company: str = ""
    address: str = ""
    hosting: str = ""
    subprocessors: tuple[str, ...] | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.company and self.address and self.hosting and self.subprocessors is not None)


def operator_of(given: Mapping[str, str]) -> Operator:
    """The environment's values. Raises OperatorUnknown for one that can't be shown, not for one that is missing."""
    named = _line(given, SUBPROCESSORS)
    several = tuple(" ".join(one.split()) for one in named.split(";") if one.strip())
    is_none = [one.lower() for one in several] == [_NO_ONE]
    return Operator(
        company=_line(given, COMPANY_NAME),
        address=_line(given, COMPANY_ADDRESS),
        hosting=_line(given, HOSTING),
        subprocessors=() if is_none else several or None,
    )


def refuse_unknown(operator: Operator) -> None:
    """Raises OperatorUnknown with the first thing that is missing."""
    for name, is_missing in (
        (COMPANY_NAME, not operator.company),
        (COMPANY_ADDRESS, not operator.address),
        (HOSTING, not operator.hosting),
        (SUBPROCESSORS, operator.subprocessors is None),
    ):
        if is_missing:
            raise OperatorUnknown(f"{name} is not set. {_MISSING[name]} The privacy page shows it.")


def _line(given: Mapping[str, str], name: str) -> str:
    value = " ".join(given.get(name, "").split())
    if len(value) > _LONGEST or not value.isprintable():
        raise OperatorUnknown(f"{name} must be plain text of at most {_LONGEST:,} characters.")
    return value
