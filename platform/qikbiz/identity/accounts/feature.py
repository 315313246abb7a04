"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature

FEATURE = Feature(
    name="accounts",
    models=("qikbiz.identity.accounts.models",),
    emails={
        "invitation": "security",
        "mailed_code": "security",
        "new_device": "security",
        "password_changed": "security",
        "password_reset": "security",
        "sign_in_changed": "security",
        "staff_invitation": "security",
        "theft_detected": "security",
        "operator_login": "security",
    },
)
