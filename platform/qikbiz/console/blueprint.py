"""The console's blueprint: registered on the console's host only."""

from __future__ import annotations

from flask import Blueprint

from qikbiz.audit.labels import heading, lines_of

console = Blueprint("console", __name__, template_folder="templates")
console.add_app_template_filter(heading, "act")
console.add_app_template_filter(lines_of, "detail_lines")
