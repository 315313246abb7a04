"""How a company is named: in a contact's or another company's form, and where it is looked for."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlalchemy import Row, null, select

from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.companies.models import Company
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.row_access import visible_rows
from qikbiz.crm.schema.normalize import clean_text, fold, name_key
from qikbiz.crm.schema.registry import References
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Action

# "Acme (acme.example)": brackets hold what tells two of one name apart.
_WITH_HINT = re.compile(r"^(?P<name>.*\S)\s*\((?P<hint>[^()]+)\)$", re.DOTALL)
MOST_OF_ONE_NAME = 50


def company_text(company: Any) -> str:
    """A company, or a row with its name, so that it can be typed back: `Acme (acme.example)`."""
    known = "domain" not in visible_type(COMPANIES).hidden
    domain = getattr(company, "domain", None) if known else None
    return f"{company.name} ({domain})" if domain else company.name


def company_id(text: str) -> UUID | None:
    """The company of that name, or None. Raises FieldProblem when several have it and nothing tells them apart.

    Accents count: a name that differs in them alone is proposed and not taken.
    """
    alike = _companies_like(text)
    found = _named(alike, text)
    hinted = _WITH_HINT.match(text)
    if not found and hinted:
        hint = hinted["hint"].lower()
        found = [row for row in _named(_companies_like(hinted["name"]), hinted["name"]) if row.domain == hint]
    if len(found) > 1:
        domains = ", ".join(row.domain for row in found if row.domain)
        raise FieldProblem(
            f"Several companies are called “{text[:60]}”.",
            f"Add the domain in brackets: {domains}." if domains else "Give them different names first.",
        )
    if not found and alike:
        raise FieldProblem(
            f"There is no company called “{text[:60]}”, but one called “{alike[0].name}”.",
            "Choose that one, or create the other company first.",
        )
    return found[0].id if found else None


def parent_company_id(text: str | None, edited: Any) -> UUID | None:
    """The company that `edited` is part of. Raises FieldProblem for one that is not there, and for itself."""
    found = company_id(text) if text else None
    if text and found is None:
        raise FieldProblem(f"There is no company called “{text[:60]}”.", "Choose one that exists.")
    if edited is not None and found == edited.id:
        raise FieldProblem("It can't be part of itself.", "Choose another one.")
    return found


def company_to_link(text: str) -> Company:
    """The company that was typed; Failure when it is not there or not the only one of that name."""
    try:
        found = company_id(clean_text(text[:300])) if text.strip() else None
    except FieldProblem as problem:
        raise Failure(str(problem)) from None
    if found is None:
        raise Failure(f"There is no company called “{text[:60]}”. Create it first, then add it here.")
    return db.session.get_one(Company, found)


def _companies_like(name: str) -> list[Row[Any]]:
    """The companies of that name, whatever its accents."""
    known = visible_type(COMPANIES)
    domain = null() if "domain" in known.hidden else Company.domain
    query = select(Company.id, Company.name, domain.label("domain")).where(
        Company.sort_name == fold(name), Company.deleted_at.is_(None), *visible_rows(known, Action.SEE)
    )
    return list(db.session.execute(query.limit(MOST_OF_ONE_NAME)))


def _named(companies: list[Row[Any]], name: str) -> list[Row[Any]]:
    return [row for row in companies if name_key(row.name) == name_key(name)]


REFERENCES = References(find=company_id, require=parent_company_id, text=company_text)
