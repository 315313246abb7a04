"""A page, or only the block of it that htmx asked for: both come from the same file, so they can't drift apart."""

from __future__ import annotations

from typing import Any

from flask import current_app, render_template, request


def render_page(template: str, *blocks: str, **context: Any) -> str:
    """The page; for htmx only the block whose name is the id of the element it will replace."""
    target = request.headers.get("HX-Target", "")
    if request.headers.get("HX-Request") == "true" and target in blocks:
        return render_block(template, target, **context)
    return render_template(template, **context)


def render_block(template: str, block: str, **context: Any) -> str:
    current_app.update_template_context(context)
    found = current_app.jinja_env.get_template(template)
    return "".join(found.blocks[block](found.new_context(context)))
