"""Connections that died in the pool are noticed before they are used, without asking the server anything.

An idle connection has nothing to say. If its socket can be read, the server closed it (it was restarted) or is about
to: the pool then makes a new one, and the request never knows.
"""

from __future__ import annotations

import select
from typing import Any

from psycopg import pq
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError


def replace_dead_connections(engine: Engine) -> None:
    event.listen(engine, "checkout", _check)


def _check(connection: object, _entry: object, _proxy: object) -> None:
    if is_dead(connection):
        raise DisconnectionError("The server closed this connection.")


def is_dead(connection: Any) -> bool:
    """Whether an idle psycopg connection can't be used any more."""
    if connection.closed or connection.pgconn.status != pq.ConnStatus.OK:
        return True
    waiting = select.poll()
    waiting.register(connection.pgconn.socket, select.POLLIN)
    return bool(waiting.poll(0))
