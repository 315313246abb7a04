"""The product's database in a command: an application context without any page."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, has_app_context

from config.settings import Settings
from qikbiz.app.features import install
from qikbiz.kernel.actors import SYSTEM, Actor, acting_as, current_actor
from qikbiz.kernel.database import connect_database, runtime
from tenants.runtime import Runtime


@contextmanager
def working_application(settings: Settings) -> Iterator[Runtime]:
    """The current application context (a worker's), or one made for this command and disposed at its end.

    One that was made with other settings points at other servers, so it doesn't count.
    """
    if _stands_for(settings):
        yield runtime()
        return
    started = Runtime(settings, process="qikbiz-command")
    try:
        with working_with(started):
            yield started
    finally:
        started.dispose()


@contextmanager
def working_with(started: Runtime) -> Iterator[None]:
    """The same on a runtime that was started before and stays, with its connections, for what comes after."""
    if _stands_for(started.settings):
        yield
        return
    install()
    app = Flask("qikbiz.command", static_folder=None)
    connect_database(app, started)
    with app.app_context(), acting_as(_who()):
        yield


def _stands_for(settings: Settings) -> bool:
    return has_app_context() and runtime().settings == settings


def _who() -> Actor:
    """The current actor, or else the operator at this machine, as the audit will name them."""
    if current_actor() is not SYSTEM:
        return current_actor()
    try:
        return Actor("system", name=f"command line ({getpass.getuser()})")
    except (OSError, KeyError):
        return Actor("system", name="command line")
