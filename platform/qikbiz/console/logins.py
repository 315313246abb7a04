"""How staff sign in, at the console only: the same machinery as for a tenant's users, over the control database."""

from __future__ import annotations

from flask import Blueprint

from qikbiz.identity.account_pages.profile_routes import add_profile_routes
from qikbiz.identity.login.login_routes import add_login_routes

staff = Blueprint("staff", __name__)
add_login_routes(staff)
add_profile_routes(staff)
