"""How staff log in, at the console only: the same machinery as for a tenant's users, over the control database."""

from __future__ import annotations

from flask import Blueprint

from qikbiz.identity.account_pages.profile_routes import open_own_pages
from qikbiz.identity.login.login_routes import open_entrance

staff = Blueprint("staff", __name__)
open_entrance(staff)
open_own_pages(staff)
