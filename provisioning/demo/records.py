"""Invented companies and contacts, the same on every machine: a fixed seed, and ages instead of dates."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from provisioning.demo.words import Country, Word, countries, cultures, latin, words
from qikbiz.crm.companies.fields import TYPES, company_columns
from qikbiz.crm.contacts.fields import LAWFUL_BASES, STAGES, contact_columns
from qikbiz.crm.schema.common_fields import SOURCES

Row = dict[str, Any]
_TRIES = 30
_YEARS_BACK = 730


@dataclass(frozen=True)
class Owner:
    """A login that owns records."""

    id: UUID
    name: str


class Inventor:
    """Makes the rows of one organisation. `seed` decides all of them."""

    def __init__(self, seed: str, owners: Sequence[Owner], now: datetime) -> None:
        self._random = random.Random(seed)
        self._owners = owners
        self._now = now
        self._addresses: set[str] = set()
        self._names: set[tuple[Word, Word]] = set()

    def companies(self, count: int) -> list[Row]:
        pairs = [(first, second) for first in words()["first"] for second in words()["second"]]
        return [self._company(*pair) for pair in self._random.sample(pairs, count)]

    def contacts(self, count: int, companies: Sequence[Row]) -> list[Row]:
        # A few large customers and many small ones, as in life.
        weights = [1 / (place + 4) for place in range(len(companies))]
        employers = self._random.choices(companies, weights, k=count)
        return [self._contact(employer if self._chance(0.94) else None) for employer in employers]

    def links(self, contacts: Sequence[Row], companies: Sequence[Row]) -> list[Row]:
        """Who works where: the primary company, and for a few a second one."""
        found = [_link(c, c["company_id"], c["job_title"], is_primary=True) for c in contacts if c["company_id"]]
        for contact in self._random.sample(list(contacts), len(contacts) // 25):
            other = self._random.choice(companies)["id"]
            if other != contact["company_id"]:
                found.append(_link(contact, other, "Adviser", is_primary=False))
        return found

    def changes(self, contacts: Sequence[Row]) -> list[Row]:
        """History for some contacts: each moved from one stage to its present one."""
        changed = [c for c in self._random.sample(list(contacts), len(contacts) // 6) if c["lifecycle_stage"] != "Lead"]
        return [self._change(contact) for contact in changed]

    def _company(self, first: str, trade: str) -> Row:
        country = self._random.choice(countries())
        second, _, industry = trade.partition("|")
        name = f"{first} {second}"
        domain = f"{latin(name)}.example"
        city = self._random.choice(country.cities)
        given = {
            **self._system(),
            "name": f"{name} {self._random.choice(country.forms)}",
            "domain": domain,
            "website": f"https://www.{domain}/",
            "email": f"office@{domain}",
            "phone": self._phone(country),
            "type": self._random.choices(TYPES, (30, 40, 8, 6, 10, 2, 4))[0],
            "industry": industry,
            "number_of_employees": int(self._random.lognormvariate(4, 1.4)) + 2,
            "annual_revenue": round(self._random.lognormvariate(15, 1.3), -3) if self._chance(0.6) else None,
            "annual_revenue_currency": None,
            "billing_street": self._street(country),
            "billing_postal_code": city.postal_code,
            "billing_city": city.name,
            "billing_state": city.region,
            "billing_country": country.code,
            "lead_source": self._random.choice(SOURCES),
        }
        if given["annual_revenue"] is not None:
            given["annual_revenue_currency"] = _CURRENCIES[country.code]
        return {**given, **company_columns(given, {})}

    def _contact(self, employer: Row | None) -> Row:
        country = self._country_of(employer)
        given_name, family = self._name()
        city = self._random.choice(country.cities)
        title, _, department = self._random.choice(words()["title"]).partition("|")
        given = {
            **self._system(),
            "first_name": given_name.written,
            "last_name": family.written,
            "emails": self._emails(given_name.latin, family.latin, employer),
            "phones": self._phones(country),
            "job_title": title if employer else None,
            "department": department or None,
            "company_id": employer["id"] if employer else None,
            "company_name": employer["name"] if employer else None,
            "lifecycle_stage": self._random.choices(STAGES, (8, 22, 10, 10, 14, 30, 3, 3))[0],
            "lead_source": self._random.choice(SOURCES),
            "street": self._street(country) if self._chance(0.5) else None,
            "postal_code": city.postal_code,
            "city": city.name,
            "state": city.region,
            "country": country.code,
            "birthdate": self._birthdate() if self._chance(0.15) else None,
            "do_not_call": self._chance(0.04),
            "email_opt_out": self._chance(0.07),
            "lawful_basis": self._random.choice((LAWFUL_BASES[0], LAWFUL_BASES[1], LAWFUL_BASES[5])),
        }
        return {**given, **contact_columns(given, {})}

    def _name(self) -> tuple[Word, Word]:
        """Given and family name, new as long as there are new ones. Some people's parents come from two places."""
        weights = [len(culture.given) * len(culture.family) for culture in cultures()]
        for _ in range(_TRIES):
            own, other = self._random.choices(cultures(), weights, k=2)
            given, family = self._random.choice(own.given), self._random.choice(own.family)
            if self._chance(0.4) and given.is_latin:
                family = self._random.choice([name for name in other.family if name.is_latin] or [family])
            if (given, family) not in self._names:
                break
        self._names.add((given, family))
        return given, family

    def _system(self) -> Row:
        age = timedelta(seconds=self._random.triangular(3600, _YEARS_BACK * 86400, 120 * 86400))
        created = self._now - age
        owner = self._random.choice(self._owners)
        is_old = self._chance(0.004)
        return {
            "id": self._id(created),
            "version": 1,
            "external_id": None,
            "owner_id": owner.id if self._chance(0.9) else None,
            "tags": self._tags(),
            "description": self._random.choice(words()["note"]) if self._chance(0.2) else None,
            "created_at": created,
            "created_by": owner.id,
            "updated_at": created + age * self._random.random(),
            "updated_by": owner.id,
            "deleted_at": self._now - timedelta(days=self._random.randint(1, 20)) if is_old else None,
            "deleted_by": owner.id if is_old else None,
        }

    def _change(self, contact: Row) -> Row:
        contact["version"] = 2
        actor = self._random.choice(self._owners)
        return {
            "id": self._id(contact["updated_at"]),
            "at": contact["updated_at"],
            "record_type": "contact",
            "record_id": contact["id"],
            "version": 2,
            "kind": "changed",
            "source": "form",
            "actor_kind": "user",
            "actor_id": actor.id,
            "actor_name": actor.name,
            "changes": json.dumps({"lifecycle_stage": ["Lead", contact["lifecycle_stage"]]}),
        }

    def _emails(self, given: str, family: str, employer: Row | None) -> list[Row]:
        domain = employer["domain"] if employer else "mail.example"
        local = f"{given}.{family}"
        while f"{local}@{domain}" in self._addresses:
            local = f"{given}.{family}{self._random.randint(2, 99)}"
        self._addresses.add(f"{local}@{domain}")
        found = [{"label": "Work" if employer else "", "address": f"{local}@{domain}"}]
        if self._chance(0.12):
            found.append({"label": "Private", "address": f"{local}@home.example"})
        return found

    def _phones(self, country: Country) -> list[Row]:
        return [{"label": "Work", "number": self._phone(country)}] if self._chance(0.8) else []

    def _phone(self, country: Country) -> str:
        return "".join(str(self._random.randint(0, 9)) if sign == "#" else sign for sign in country.phone)

    def _street(self, country: Country) -> str:
        street, number = self._random.choice(country.streets), self._random.randint(1, 180)
        return f"{street} {number}" if country.code in ("DE", "SE") else f"{number} {street}"

    def _country_of(self, employer: Row | None) -> Country:
        code = employer["billing_country"] if employer else self._random.choice(countries()).code
        return next(country for country in countries() if country.code == code)

    def _tags(self) -> list[str]:
        return sorted(self._random.sample(words()["tag"], self._random.choices((0, 1, 2), (60, 30, 10))[0]))

    def _birthdate(self) -> date:
        return date(self._random.randint(1955, 2003), self._random.randint(1, 12), self._random.randint(1, 28))

    def _id(self, at: datetime) -> UUID:
        """A UUID of version 7 with the time of the row, so that lists by id are lists by age."""
        milliseconds = int(at.timestamp() * 1000)
        parts = (milliseconds << 80) | (0x7 << 76) | (self._random.getrandbits(12) << 64) | (0b10 << 62)
        return UUID(int=parts | self._random.getrandbits(62))

    def _chance(self, share: float) -> bool:
        return self._random.random() < share


def start_of_today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _link(contact: Row, company_id: UUID, role: str | None, *, is_primary: bool) -> Row:
    return {"contact_id": contact["id"], "company_id": company_id, "role": role, "is_primary": is_primary}


_CURRENCIES = {"US": "USD", "GB": "GBP", "DE": "EUR", "FR": "EUR", "SE": "SEK", "AU": "AUD", "IE": "EUR"}
