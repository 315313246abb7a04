"""The receipt of an erasure: what was erased and when, signed with Ed25519 (docs/erasure-receipts.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from config.keys import KeyRing
from tenants.context import Tenant

FORMAT, FORMAT_VERSION = "qikbiz-erasure-receipt", 1
PURPOSE = "erasure-receipt"
ERASED = (
    "The contact with all its fields, its links to companies, and its place in the search",
    "Its timeline: every value from before and after a change",
    "The content of its audit entries; who acted, what was done and when is kept",
    "Its import rows, and the uploaded files they came from",
    "Emails to its addresses, and notifications to your users that named it",
    "Earlier exports that could still be downloaded: their keys are destroyed",
)
KEPT = (
    "That a contact with this number was erased, when, and on whose order, in the audit and in this receipt",
    "Anonymous fingerprints that keep the contact from returning with a backup or a file",
)


def receipt(tenant: Tenant, erasure_id: UUID, record_id: UUID, **said: object) -> dict[str, object]:
    """The document to sign. It names nobody but the organisation."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "erasure": str(erasure_id),
        "organisation": {"id": str(tenant.id), "name": tenant.name},
        "record": {"type": "contact", "id": str(record_id)},
        "erased": list(ERASED),
        "kept": list(KEPT),
        **said,
    }


def signed_text(document: Mapping[str, object]) -> bytes:
    """The bytes that are signed: JSON with sorted keys and without spaces, in UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def as_file(keys: KeyRing, document: Mapping[str, object], key_id: int, signature: bytes) -> dict[str, object]:
    """The receipt as it is handed out: the document, its signature, and the public key to check it with."""
    public = keys.public_key(PURPOSE, key_id)
    signed = {"algorithm": "Ed25519", "key_id": key_id, "public_key": public.hex() if public else ""}
    return {"document": dict(document), "signature": {**signed, "value": signature.hex()}}


def is_signed(handed_out: Mapping[str, Any], public_key: str) -> bool:
    """Whether the receipt is as the holder of this key signed it.

    Raises KeyError, TypeError or ValueError for what is no receipt, or no key.
    """
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    try:
        key.verify(bytes.fromhex(handed_out["signature"]["value"]), signed_text(handed_out["document"]))
    except InvalidSignature:
        return False
    return True


def moment_text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
