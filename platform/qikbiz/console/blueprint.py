"""The console's blueprint: registered on the console's host only."""

from __future__ import annotations

from flask import Blueprint

console = Blueprint("console", __name__, template_folder="templates")
