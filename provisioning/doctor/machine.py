"""This machine: its clock beside the servers' clocks, its disk, its keys, its way to a mail server."""

import shutil
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import redis

from config.settings import Settings
from provisioning import assets
from provisioning.doctor.checks import Check
from provisioning.servers import connect_to_control

LARGEST_CLOCK_DIFFERENCE = 2.0
LEAST_FREE_BYTES = 1024**3


def clocks(settings: Settings) -> Iterator[Check]:
    """Leases, links and sessions end by different clocks; they must agree to two seconds."""
    with connect_to_control(settings, autocommit=True) as connection:

        def of_postgres() -> float:
            row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
            return float(row[0]) if row else 0.0

        yield _clock("postgres", of_postgres)
    with redis.Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=5) as client:

        def of_redis() -> float:
            seconds, microseconds = client.time()
            return float(seconds) + float(microseconds) / 1e6

        yield _clock("redis", of_redis)


def keys(settings: Settings) -> Iterator[Check]:
    ring = settings.keys
    detail = f"{len(ring.keys)} in the ring, key {ring.active.id} is active"
    if ring.is_development and settings.is_production:
        yield Check("keys", False, "the development key", "Create your own key ring with `qikbiz keys new`.")
    else:
        yield Check("keys", True, detail + (" (development)" if ring.is_development else ""))


def disk(settings: Settings) -> Iterator[Check]:
    """Each disk once: those of files and of PostgreSQL may be others."""
    seen: set[int] = set()
    for name, folder, what in (
        ("disk", settings.home, "everything that the program keeps is written there"),
        ("disk of the files", settings.files, "exports and imports are written there"),
        ("disk of the databases", settings.home / "postgres", "the embedded PostgreSQL stops when it is full"),
    ):
        place = next(path for path in (folder, *folder.parents) if path.exists())
        if place.stat().st_dev in seen:
            continue
        seen.add(place.stat().st_dev)
        free = shutil.disk_usage(place).free
        is_enough = free > LEAST_FREE_BYTES
        remedy = "" if is_enough else f"Free some space on the disk of {folder}: {what}."
        yield Check(name, is_enough, f"{free / 1024**3:.1f} GiB free", remedy)


def mail_server(settings: Settings) -> Iterator[Check]:
    if not settings.smtp_url:
        yield Check("mail server", True, f"none configured: emails are written to {settings.mail_sink}")
        return
    where = urlsplit(settings.smtp_url)
    host = where.hostname or "localhost"
    try:
        with _smtp(where.scheme, host, where.port) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        yield Check(
            "mail server",
            False,
            f"{host}: {error}",
            ("Check that QIKBIZ_SMTP_URL is correct and the server is running."),
        )
    else:
        yield Check("mail server", True, f"{host} answers")


def front_end_files(settings: Settings) -> Iterator[Check]:
    is_built = (assets.DIST / "manifest.json").is_file()
    yield Check(
        "front-end files", is_built, "built" if is_built else "missing", "" if is_built else "Run `make assets`."
    )


def _clock(name: str, read: Callable[[], float]) -> Check:
    before = time.time()
    theirs = read()
    # Half of the journey there and back is our best guess of when the server looked.
    difference = theirs - (before + time.time()) / 2
    is_close = abs(difference) < LARGEST_CLOCK_DIFFERENCE
    remedy = "" if is_close else "Synchronise the clocks of both machines with NTP."
    return Check(f"clock of {name}", is_close, f"{difference:+.3f} s from ours", remedy)


def _smtp(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=5, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port or (587 if "starttls" in scheme else 25), timeout=5)
    if "starttls" in scheme:
        server.starttls(context=ssl.create_default_context())
    return server
