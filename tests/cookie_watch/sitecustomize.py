"""Records every Set-Cookie that the product answers with, in any process of a test run.

Python imports a `sitecustomize` by itself when it starts. The test run puts this folder on PYTHONPATH, so that servers
which it starts for browsers are watched as well; in its own processes `watch` is called directly. It uses the standard
library only.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from email.utils import parsedate_to_datetime
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

# Not QIKBIZ_…: tests that start the product take those out of its environment.
JOURNAL = "COOKIE_JOURNAL_OF_TESTS"
WATCHED = "qikbiz.app.request_pipeline"
# A busy machine may take that long between making a header and recording it.
CLOCK_SECONDS = 30
_noted: set[str] = set()


def watch(application: type) -> None:
    """Have every answer of this class of applications looked at."""
    answer = application.__call__  # type: ignore[operator]  # a WSGI application has it

    def watched(self: Any, environ: Any, start_response: Any) -> Any:
        def noting(status: str, headers: Any, *rest: Any) -> Any:
            for name, value in headers:
                if name.lower() == "set-cookie":
                    note(value)
            return start_response(status, headers, *rest)

        return answer(self, environ, noting)

    application.__call__ = watched  # type: ignore[method-assign, operator]


def note(header: str) -> None:
    """Add it to the journal, once for each process and shape. The value itself is not recorded."""
    pair, _, attributes = header.partition(";")
    name, _, value = pair.partition("=")
    line = f"{name.strip()}={'set' if value.strip() else ''};{_without_moment(attributes)}"
    if line in _noted:
        return
    _noted.add(line)
    # A short line written by one call that appends is whole, also when other processes write at the same time.
    with Path(os.environ[JOURNAL]).open("a", encoding="utf-8") as journal:
        journal.write(line + "\n")


def _without_moment(attributes: str) -> str:
    """An Expires that says the same as Max-Age, as old browsers need it, becomes `Expires=Max-Age`."""
    given = {name.strip().lower(): value for name, _, value in (part.partition("=") for part in attributes.split(";"))}
    if "expires" not in given or not given.get("max-age", "").isdecimal():
        return attributes
    ends = parsedate_to_datetime(given["expires"]).timestamp()
    if abs(ends - time.time() - int(given["max-age"])) > CLOCK_SECONDS:
        return attributes
    return attributes.replace(given["expires"], "Max-Age")


class _Finder:
    """Waits until the application is imported, and watches it from then on."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != WATCHED:
            return None
        sys.meta_path.remove(self)  # type: ignore[arg-type]  # ours, put there below
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                watch(module.QikBiz)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if __name__ == "sitecustomize" and os.environ.get(JOURNAL):
    sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]
