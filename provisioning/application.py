"""The product's database in a command: an application context without any page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, has_app_context

from config.settings import Settings
from qikbiz.database import connect_database, runtime
from tenants.runtime import Runtime


@contextmanager
def working_application(settings: Settings) -> Iterator[Runtime]:
    """The application context at hand (a worker's), or one made for this command and disposed at its end.

    One that was made with other settings points at other servers, so it doesn't count.
    """
    if has_app_context() and runtime().settings == settings:
        yield runtime()
        return
    app = Flask("qikbiz.command", static_folder=None)
    started = Runtime(settings, process="qikbiz-command")
    connect_database(app, started)
    try:
        with app.app_context():
            yield started
    finally:
        started.dispose()
