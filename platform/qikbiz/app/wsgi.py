"""The application for a WSGI server."""

from __future__ import annotations

from config.logging import configure_logging
from config.settings import load_settings
from qikbiz.app.preloaded import application

_settings = load_settings()
configure_logging("web", _settings.log_level)
app = application(_settings, process="web")
