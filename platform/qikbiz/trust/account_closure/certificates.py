"""The certificate of an erasure: what was erased and when, signed, checked by anybody who has its number.

It names no person and no organisation; the mail that brings it says whose it is.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from qikbiz.kernel.database import db, runtime
from qikbiz.trust.account_closure.models import ErasureCertificate

PURPOSE = "erasure-certificate"
# Without letters and digits that are mistaken for each other.
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GROUPS, _GROUP = 4, 4
ERASED = (
    "The organisation's database schema with every table in it, and the only role that had access to it",
    "Its users, sessions, remembered devices, invitations, second factors and settings",
    "Its uploaded files and exports, and the keys that these were encrypted with",
    "Its audit, its history, its emails and its list of jobs",
    "Its entries in the cache",
    "Its entries in the platform's own database: its name, its administrator's address, its host names, its "
    "support access grants and sessions, and its support requests",
)
KEPT = (
    "Its address on our site, so that it is never reused",
    "This certificate, and the number of the organisation, so that a restored backup can't restore it",
    "The steps of its account closure with their times, in the platform's audit, under that number",
)
KEPT_INVOICE = "Its invoice, for as long as tax law requires"


def issue(
    tenant_id: UUID, organisation: str, counts: Mapping[str, object], moment: datetime, *, has_invoice: bool
) -> ErasureCertificate:
    """Make and keep the certificate. Inside `control_transaction()`."""
    number, settings = _new_number(), runtime().settings
    document = {
        "format": "qikbiz-erasure-certificate",
        "format_version": 1,
        "number": number,
        "organisation": str(tenant_id),
        # Who knows number and name can check that they belong together; nobody reads the name from it.
        "organisation_name_sha256": name_mark(number, organisation),
        "erased_at": moment.isoformat(),
        "counts": counts,
        "erased": list(ERASED),
        "kept": [*KEPT, KEPT_INVOICE] if has_invoice else list(KEPT),
        "backups_gone_by": (moment + timedelta(days=settings.backup_days)).date().isoformat(),
    }
    key_id, signature = settings.keys.sign(PURPOSE, signed_text(document))
    certificate = ErasureCertificate(
        number=number, tenant_id=tenant_id, issued_at=moment, document=document, key_id=key_id, signature=signature
    )
    db.control.add(certificate)
    return certificate


def is_genuine(certificate: ErasureCertificate) -> bool:
    """Whether it is as we signed it, and for this tenant."""
    message = signed_text(certificate.document)
    keys = runtime().settings.keys
    its = certificate.document.get("number"), certificate.document.get("organisation")
    matches = its == (certificate.number, str(certificate.tenant_id))
    return matches and keys.is_signed(PURPOSE, certificate.key_id, message, certificate.signature)


def certificate_numbered(number: str) -> ErasureCertificate | None:
    """By its number, however it was typed: spaces, small letters, missing hyphens."""
    letters = "".join(letter for letter in number.upper() if letter in _LETTERS)
    if len(letters) != _GROUPS * _GROUP:
        return None
    return db.control.get(ErasureCertificate, _grouped(letters))


def signed_text(document: Mapping[str, object]) -> bytes:
    """The bytes that are signed: JSON with sorted keys and without spaces, in UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def name_mark(number: str, organisation: str) -> str:
    return hashlib.sha256(f"{number}\n{' '.join(organisation.split())}".encode()).hexdigest()


def _new_number() -> str:
    return _grouped("".join(secrets.choice(_LETTERS) for _ in range(_GROUPS * _GROUP)))


def _grouped(letters: str) -> str:
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))
