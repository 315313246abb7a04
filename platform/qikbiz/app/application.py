"""Making the application from its features. Nothing connects here."""

from __future__ import annotations

from pkgutil import resolve_name

from flask import Blueprint

from config.settings import Settings
from qikbiz.app import error_handlers, features, request_pipeline, template_globals
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.identity.sessions import current
from qikbiz.kernel.database import connect_database
from qikbiz.kernel.feature import Pages, installed
from qikbiz.web import compression, cookies, csrf, flash, health, metrics, require_tls, responses
from tenants.runtime import Runtime


def create_app(settings: Settings, *, process: str = "web") -> QikBiz:
    """The Flask application for one process. Serves every host: the surface decides which routes exist."""
    features.install()
    app = QikBiz("qikbiz.web", static_folder=None)
    app.config.update(
        SECRET_KEY=None,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=2_000,
        PROPAGATE_EXCEPTIONS=False,
        TEMPLATES_AUTO_RELOAD=False,
    )
    connect_database(app, Runtime(settings, process=process))
    # After a request they take their turns backwards: first what pages leave to say, then cookies, headers and the log,
    # and compression when the body is whole.
    first = (compression, request_pipeline, responses, metrics, error_handlers)
    for part in (*first, cookies, flash, csrf, current, health, template_globals):
        part.register(app)
    _serve_features(app)
    # Last, and so outermost: before the files of the pages too.
    require_tls.register(app)
    return app


def _serve_features(app: QikBiz) -> None:
    """The pages of every feature, in the order of the list."""
    is_production = app.extensions["qikbiz"].settings.environment == "production"
    for feature in installed():
        for name in feature.setup:
            resolve_name(name)(app)
        for pages in feature.pages:
            if pages.in_production or not is_production:
                _serve(app, pages)


def _serve(app: QikBiz, pages: Pages) -> None:
    blueprint: Blueprint = resolve_name(pages.blueprint)
    surface = {"subdomain": pages.surface} if pages.surface else {}
    app.register_blueprint(blueprint, name=pages.name or blueprint.name, **surface)
