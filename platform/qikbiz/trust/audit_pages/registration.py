"""What this package does for exports: the audit as a file of its own form."""

from __future__ import annotations

from flask import url_for

from qikbiz.kernel.permissions import Permission
from qikbiz.transfer.exports.audit_file import AUDIT, make_audit_file
from qikbiz.transfer.exports.contributions import OwnProduct, register_product


def register() -> None:
    register_product(
        OwnProduct(
            name=AUDIT,
            title="Audit",
            make=make_audit_file,
            permission=Permission.AUDIT_SEE,
            retry=lambda _export: url_for("audit.index"),
        )
    )
