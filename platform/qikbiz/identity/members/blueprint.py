"""The one blueprint of the pages about users."""

from __future__ import annotations

from flask import Blueprint

members = Blueprint("members", __name__, template_folder="templates", url_prefix="/users")
