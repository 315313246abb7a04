"""A page, or only the block of it that htmx asked for: both come from the same file, so they can't drift apart."""

from __future__ import annotations

from flask import current_app, render_template, request


def render_page(template: str, *blocks: str, **context: object) -> str:
    """The page; for htmx only the block whose name is the id of the element it will replace.

    The template knows by `is_part` which of the two it is.
    """
    target = request.headers.get("HX-Target", "")
    if request.headers.get("HX-Request") == "true" and target in blocks:
        return render_block(template, target, **context)
    return render_template(template, is_part=False, **context)


def render_block(template: str, block: str, **context: object) -> str:
    """One block of a page that extends a layout. docs/decisions/0022-block-rendering.md says why not by a library."""
    context["is_part"] = True
    current_app.update_template_context(context)
    page = current_app.jinja_env.get_template(template)
    scope = page.new_context(context)
    # Up to the layout's first words: then the page's imports and macros are made, which the block uses.
    next(iter(page.root_render_func(scope)))
    return "".join(page.blocks[block](scope))
