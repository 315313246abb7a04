"""A tenant's pages about the user's own login: signing in, the profile, where one is signed in."""

from __future__ import annotations

from flask import Blueprint

from qikbiz.identity.account_pages.profile_routes import open_own_pages
from qikbiz.identity.login.login_routes import open_entrance

accounts = Blueprint("accounts", __name__, template_folder="templates")
open_entrance(accounts)
open_own_pages(accounts)
