"""The codes of the demo's staff, at /demo-codes of the public site, so that nobody needs a phone to try the console.

Registered only outside production, which has no demo staff either.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

import pyotp
from flask import Blueprint, render_template
from sqlalchemy import select

from config.keys import SealBroken
from config.settings import Settings
from qikbiz.identity.accounts.realms import staff_realm
from qikbiz.identity.mfa.totp import open_secret
from qikbiz.identity.staff.models import Staff, StaffFactor
from qikbiz.kernel import clock
from qikbiz.kernel.access import access
from qikbiz.kernel.database import control_transaction, runtime
from qikbiz.kernel.permissions import Permission

demo_codes = Blueprint("demo_codes", __name__, template_folder="templates")
_PURPOSE = "demo-app"
_SECONDS = 30


def demo_secret(settings: Settings, email: str) -> str:
    """What the authenticator app of a demo user is set up with. Of this machine's own development keys."""
    return base64.b32encode(settings.keys.mac(_PURPOSE, email.encode())[:20]).decode()


@demo_codes.get("/demo-codes")
@access(Permission.PUBLIC)
def index() -> str:
    with control_transaction() as work:
        apps = work.execute(select(Staff, StaffFactor).join(StaffFactor, StaffFactor.person_id == Staff.id))
        shown = [(staff, _codes(staff.email)) for staff, factor in apps if _is_demo(staff, factor)]
    return render_template("mfa/demo_codes.html", shown=shown)


def _is_demo(staff: Staff, factor: StaffFactor) -> bool:
    """Whether the app is the one that the demo set up; nobody else's code is shown."""
    if factor.kind != "app":
        return False
    try:
        secret = open_secret(staff_realm(), staff.id, factor.sealed_secret or "").plaintext.decode()
    except SealBroken:
        return False
    return secret == demo_secret(runtime().settings, staff.email)


def _codes(email: str) -> list[tuple[str, datetime]]:
    """The present code and the next, each with its end."""
    now = clock.now()
    step = int(now.timestamp()) // _SECONDS
    generator = pyotp.TOTP(demo_secret(runtime().settings, email))
    ends = datetime.fromtimestamp((step + 1) * _SECONDS, tz=now.tzinfo)
    return [(generator.generate_otp(step + later), ends + timedelta(seconds=_SECONDS * later)) for later in (0, 1)]
