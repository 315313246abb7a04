"""The application of a worker process, made once before its horses are forked. It holds no connection."""

from __future__ import annotations

import gc

from flask import Flask

from config.settings import Settings
from qikbiz.web.preloaded import application as application_of_process

_app: Flask | None = None


def start(settings: Settings, name: str) -> Flask:
    global _app  # noqa: PLW0603  # one for each process, for the function that RQ calls by name
    _app = application_of_process(settings, process=name)
    # What was imported is for good: left out of collections, its pages stay shared with the horses.
    gc.freeze()
    return _app


def application() -> Flask:
    if _app is None:
        raise RuntimeError("This process was not started as a worker.")
    return _app
