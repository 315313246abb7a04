"""How staff log in, at the console only: the same machinery as for a tenant's users, over the control database."""

from __future__ import annotations

from flask import Blueprint

from qikbiz.identity.accounts.login_routes import open_entrance
from qikbiz.identity.accounts.profile_routes import open_own_pages

staff = Blueprint("staff", __name__, template_folder="../identity/accounts/templates")
open_entrance(staff)
open_own_pages(staff)
