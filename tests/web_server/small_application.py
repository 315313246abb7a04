"""A small application behind the web server: `python -m tests.web_server.small_application LIMITS`."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from config.web_server.limits import Limits
from config.web_server.process import Web

at_work: set[int] = set()
most_at_work = {"requests": 0}


def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    at_work.add(threading.get_ident())
    most_at_work["requests"] = max(most_at_work["requests"], len(at_work))
    try:
        return PAGES[environ["PATH_INFO"].split("/")[1]](environ, start)
    finally:
        at_work.discard(threading.get_ident())


def told(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    """What the application got of the request."""
    body = environ["wsgi.input"].read()
    words: dict[str, Any] = {name: value for name, value in environ.items() if isinstance(value, str)}
    words |= {"length": len(body), "sha256": hashlib.sha256(body).hexdigest(), "most_at_work": most_at_work["requests"]}
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(words).encode()]


def slow(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    time.sleep(float(environ["QUERY_STRING"]))
    return told(environ, start)


def long(environ: dict[str, Any], start: Any) -> Iterator[bytes]:
    """So many MiB, in pieces."""
    start("200 OK", [("Content-Type", "application/octet-stream")])
    return (b"x" * 2**20 for _ in range(int(environ["QUERY_STRING"])))


def broken(_environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
    raise ZeroDivisionError


def quits(_environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
    raise SystemExit(3)


def announces(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    """Says that it is so many bytes long, and gives so many: 10,5."""
    said, given = environ["QUERY_STRING"].split(",")
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", said)])
    return (b"x" * min(2**20, int(given) - begin) for begin in range(0, int(given), 2**20))


PAGES = {
    "": told,
    "told": told,
    "slow": slow,
    "long": long,
    "broken": broken,
    "quits": quits,
    "announces": announces,
    "imports": told,
}


def main() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    given = json.loads(sys.argv[1])
    proxies = given.pop("proxies", [])
    Web(application, Limits(**given), threads=2, is_proxy=lambda peer: peer in proxies).serve(
        listener, seconds_to_end=2
    )
    os._exit(0)


if __name__ == "__main__":
    main()
