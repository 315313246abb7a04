"""The one blueprint of single sign-on: the way in and the administrators' page belong together."""

from __future__ import annotations

from flask import Blueprint

sso = Blueprint("sso", __name__, template_folder="templates")
