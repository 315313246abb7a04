"""A tenant's pages about the user's own login: signing in, the profile, where one is signed in."""

from __future__ import annotations

from flask import Blueprint

from qikbiz.identity.account_pages.profile_routes import add_profile_routes
from qikbiz.identity.login.login_routes import add_login_routes

accounts = Blueprint("accounts", __name__, template_folder="templates")
add_login_routes(accounts)
add_profile_routes(accounts)
