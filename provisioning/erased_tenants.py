"""The list of erased tenants, kept beside the databases, so that restoring one of them brings no tenant back.

One file for each, named by the tenant's number; it holds the certificate, which names no one. What is on the list is
erased again without notice, so a row or a file counts only with a signature of this installation: write access to the
folder is not enough.
"""

from __future__ import annotations

import base64
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from config.settings import Settings
from qikbiz.trust.account_closure.certificates import is_genuine
from qikbiz.trust.account_closure.erasures import erased_ids
from qikbiz.trust.account_closure.models import ErasureCertificate

_FOLDER = "erased-tenants"
_BEGUN = "erasure-begun"


def list_as_erased(settings: Settings, tenant_id: UUID, certificate: ErasureCertificate | None = None) -> None:
    """Put it on the list, durably; with the certificate once there is one."""
    path = _path(settings, tenant_id)
    if certificate is None and path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.part")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(_as_json(certificate) if certificate else _begun(settings, tenant_id), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def listed_as_erased(settings: Settings) -> set[UUID]:
    """Every tenant whose erasure was begun or is certified: by the files, and by the control database."""
    files = map(_named, (settings.files / _FOLDER).glob("*.json"))
    return {tenant_id for tenant_id in files if tenant_id and _is_proved(settings, tenant_id)} | erased_ids()


def certificate_on_list(settings: Settings, tenant_id: UUID) -> ErasureCertificate | None:
    """The certificate that the list has, for a control database that was restored to a day before."""
    return _certificate(_kept(settings, tenant_id), tenant_id)


def _is_proved(settings: Settings, tenant_id: UUID) -> bool:
    kept = _kept(settings, tenant_id)
    if _certificate(kept, tenant_id) is not None:
        return True
    try:
        signature = base64.b64decode(kept["signature"])
        return settings.keys.is_signed(_BEGUN, int(kept["key_id"]), tenant_id.bytes, signature)
    except (KeyError, TypeError, ValueError):
        return False


def _certificate(kept: dict[str, Any], tenant_id: UUID) -> ErasureCertificate | None:
    """The one in the file, if this installation signed it for this tenant."""
    try:
        found = ErasureCertificate(
            number=kept["document"]["number"],
            tenant_id=tenant_id,
            issued_at=datetime.fromisoformat(kept["issued_at"]),
            document=kept["document"],
            key_id=kept["key_id"],
            signature=base64.b64decode(kept["signature"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
    return found if is_genuine(found) else None


def _kept(settings: Settings, tenant_id: UUID) -> dict[str, Any]:
    try:
        kept = json.loads(_path(settings, tenant_id).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _begun(settings: Settings, tenant_id: UUID) -> dict[str, Any]:
    key_id, signature = settings.keys.sign(_BEGUN, tenant_id.bytes)
    return {"key_id": key_id, "signature": base64.b64encode(signature).decode()}


def _named(path: Path) -> UUID | None:
    try:
        return UUID(path.stem)
    except ValueError:
        return None


def _as_json(certificate: ErasureCertificate) -> dict[str, Any]:
    return {
        "issued_at": certificate.issued_at.isoformat(),
        "document": certificate.document,
        "key_id": certificate.key_id,
        "signature": base64.b64encode(certificate.signature).decode(),
    }


def _path(settings: Settings, tenant_id: UUID) -> Path:
    return settings.files / _FOLDER / f"{tenant_id}.json"
