"""The templates of the sign-in pages. The pages are opened among those of users and of staff."""

from __future__ import annotations

from flask import Blueprint

login = Blueprint("login", __name__, template_folder="templates")
