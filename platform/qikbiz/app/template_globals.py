"""What every template may use; `create_app` calls `register` once."""

from urllib.parse import urlencode

from flask import Flask, request

from qikbiz.messaging.notifications.unread import unread_count
from qikbiz.trust.privacy import links
from qikbiz.trust.privacy import queries as statements
from qikbiz.web import assets, flash, formats, markup, navigation, viewer


def register(app: Flask) -> None:
    assets.register(app)
    formats.register(app)
    for function in (
        links.changes_url,
        links.statement_url,
        statements.announced_statement,
        markup.icon,
        navigation.endpoint_exists,
        navigation.path_of,
        navigation.tenant_navigation,
        navigation.settings_navigation,
        navigation.settings_groups,
        navigation.console_navigation,
        flash.pending_toasts,
        unread_count,
        viewer.chosen_theme,
        viewer.time_zone_name,
        with_query,
    ):
        app.add_template_global(function)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def with_query(**changes: str | None) -> str:
    """This page's address with some of its query changed; None takes one out."""
    query = request.args.to_dict(flat=False)
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = [value]
    pairs = [(name, value) for name, values in query.items() for value in values]
    return request.path + ("?" + urlencode(pairs) if pairs else "")
