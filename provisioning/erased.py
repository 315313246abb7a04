"""The list of erased tenants that lies beside the databases, so that restoring one of them brings no tenant back.

One file for each, named by the tenant's number; it holds the certificate, which names nobody.
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
from qikbiz.closing.erasures import erased_ids
from qikbiz.closing.models import ErasureCertificate

_FOLDER = "erased-tenants"


def list_as_erased(settings: Settings, tenant_id: UUID, certificate: ErasureCertificate | None = None) -> None:
    """Put it on the list, durably; with the certificate once there is one."""
    path = _path(settings, tenant_id)
    if certificate is None and path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.part")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(_as_json(certificate) if certificate else {}, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def listed_as_erased(settings: Settings) -> set[UUID]:
    """Every tenant that was erased: by the files, and by the control database."""
    return {UUID(path.stem) for path in (settings.files / _FOLDER).glob("*.json")} | erased_ids()


def certificate_on_list(settings: Settings, tenant_id: UUID) -> ErasureCertificate | None:
    """The certificate that the list has, for a control database that was restored to a day before."""
    try:
        kept = json.loads(_path(settings, tenant_id).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if not kept:
        return None
    return ErasureCertificate(
        number=kept["document"]["number"],
        tenant_id=tenant_id,
        issued_at=datetime.fromisoformat(kept["issued_at"]),
        document=kept["document"],
        key_id=kept["key_id"],
        signature=base64.b64decode(kept["signature"]),
    )


def _as_json(certificate: ErasureCertificate) -> dict[str, Any]:
    return {
        "issued_at": certificate.issued_at.isoformat(),
        "document": certificate.document,
        "key_id": certificate.key_id,
        "signature": base64.b64encode(certificate.signature).decode(),
    }


def _path(settings: Settings, tenant_id: UUID) -> Path:
    return settings.files / _FOLDER / f"{tenant_id}.json"
