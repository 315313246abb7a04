"""The statement on the public site."""

from __future__ import annotations

from flask import Blueprint, render_template

from qikbiz.permissions import public
from qikbiz.privacy.queries import text_in_force

privacy = Blueprint("privacy", __name__, template_folder="templates", url_prefix="/privacy")


@privacy.get("")
@public
def statement() -> str:
    return render_template("privacy/statement.html", text=text_in_force())
