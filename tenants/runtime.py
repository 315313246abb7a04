"""What one process holds: settings, the control engine, the cells, the directory, Redis. Nothing connects here."""

from __future__ import annotations

import os

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from config.settings import Settings
from tenants.cells import Cells
from tenants.control import Cell, control_engine
from tenants.directory import Directory
from tenants.redis import RedisStore

CELL_DSN = "cell-dsn"


class Runtime:
    """Built once for each process from its settings; `dispose` closes every connection."""

    def __init__(self, settings: Settings, *, process: str = "qikbiz") -> None:
        self.settings = settings
        self._process = process
        self.control: Engine = control_engine(settings.control_url, application_name=process)
        event.listen(self.control, "do_connect", self._say_who)
        self.cells = Cells(
            self._cell_dsn, pool_size=4, max_overflow=max(4, settings.web_threads), application_name=process
        )
        self.directory = Directory(self.control, settings.base_domain)
        self.redis = RedisStore(settings.redis_url, prefix=settings.redis_prefix)

    def name(self, process: str) -> None:
        """The options for connections made from now on."""
        self._process = process
        self.cells.name(process)

    def dispose(self) -> None:
        self.directory.stop()
        self.cells.dispose()
        self.control.dispose()
        self.redis.close()

    def after_fork(self) -> None:
        """Forget the parent's connections without closing them: they are still the parent's."""
        self.control.dispose(close=False)
        self.cells = Cells(self._cell_dsn, application_name=f"qikbiz-{os.getpid()}")
        self.directory = Directory(self.control, self.settings.base_domain)
        self.redis = RedisStore(self.settings.redis_url, prefix=self.settings.redis_prefix)

    def _say_who(self, _dialect: object, _record: object, _arguments: object, parameters: dict[str, object]) -> None:
        parameters["application_name"] = self._process

    def _cell_dsn(self, name: str) -> str | None:
        with Session(self.control) as session:
            cell = session.get(Cell, name)
            if cell is None:
                return None
            return self.settings.keys.open(CELL_DSN, cell.dsn, bound_to=name).plaintext.decode()
