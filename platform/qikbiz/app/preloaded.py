"""The application, made once before the processes are forked that share it, or by each process for itself."""

from __future__ import annotations

from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from sqlalchemy.orm import configure_mappers

from config.settings import Settings
from qikbiz.app.application import create_app
from qikbiz.app.request_pipeline import QikBiz
from tenants.runtime import Runtime

_made: QikBiz | None = None


def preload(settings: Settings) -> None:
    """Make the application, with every template compiled, for the processes forked from this one."""
    global _made  # noqa: PLW0603 - one for each process
    app = create_app(settings, process="qikbiz")
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(_folder(settings.home / "templates")))
    # Mails have an environment of their own.
    for name in app.jinja_env.list_templates(filter_func=lambda name: not name.startswith("mail/")):
        app.jinja_env.get_template(name)
    # What every process would work out at its first query.
    configure_mappers()
    _made = app


def application(settings: Settings, *, process: str) -> QikBiz:
    """The application of this process, whose connections to databases bear its name."""
    started = _started()
    if _made is None or started is None or started.settings != settings:
        return create_app(settings, process=process)
    started.name(process)
    return _made


def _started() -> Runtime | None:
    found = _made.extensions["qikbiz"] if _made is not None else None
    return found if isinstance(found, Runtime) else None


def _folder(path: Path) -> Path:
    """What lies there is run, so it is nobody else's to write."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
