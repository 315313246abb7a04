"""Connections of the provisioner: the one login that makes roles, databases and schemas. The web never has it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import conninfo
from psycopg.rows import TupleRow

from config.embedded import CONTROL_DATABASE, TENANT_DATABASE
from config.settings import Settings
from tenants.context import WATCH_ROLE

OWNER = "qb_owner"
# Sees of every tenant how its jobs and mails went, and nothing of what they are about.
WATCH = WATCH_ROLE
# From this version on a membership says itself whether rights are inherited.
SINCE_16 = 160000
_SHARED_DATABASES = ("", "postgres", "template1")
# What a cell's login may take over from the provisioner's URL: where the server is and how TLS is checked, no secrets.
_PLACE = ("host", "hostaddr", "port", "sslmode", "sslrootcert", "sslsni", "channel_binding", "gssencmode")

Connection = psycopg.Connection[TupleRow]


class NoProvisioner(Exception):
    """QIKBIZ_PROVISIONER_URL is not set, so this process can't make or change roles, databases and schemas."""


def provisioner_parts(settings: Settings) -> dict[str, Any]:
    """The provisioner's URL as libpq parameters, its database being the one that holds the tenants' schemas."""
    if not settings.provisioner_url:
        raise NoProvisioner("QIKBIZ_PROVISIONER_URL is not set; this command needs a role that can create schemas.")
    parts = conninfo.conninfo_to_dict(settings.provisioner_url)
    if str(parts.get("dbname") or "") in _SHARED_DATABASES:
        parts["dbname"] = TENANT_DATABASE
    return parts


def control_parts(settings: Settings) -> dict[str, Any]:
    parts = conninfo.conninfo_to_dict(settings.control_url)
    parts.setdefault("dbname", CONTROL_DATABASE)
    return parts


def same_server(settings: Settings) -> bool:
    """Whether the control database is on the server of the tenants' databases."""
    if not settings.provisioner_url:
        return False
    one, other = control_parts(settings), provisioner_parts(settings)
    return all(
        str(one.get(part) or default) == str(other.get(part) or default)
        for part, default in (("host", "localhost"), ("port", "5432"))
    )


def connect_as_provisioner(settings: Settings, *, database: str | None = None, autocommit: bool = False) -> Connection:
    """To the tenants' database, or to `database`. The caller closes it."""
    parts = provisioner_parts(settings)
    if database is not None:
        parts["dbname"] = database
    return _connect(parts, autocommit=autocommit)


def connect_to_control(settings: Settings, *, autocommit: bool = False) -> Connection:
    return _connect(control_parts(settings), autocommit=autocommit)


def cell_dsn(settings: Settings, login: str, password: str) -> str:
    """The URL by which a cell's login reaches the tenants' database."""
    parts = provisioner_parts(settings)
    place = "&".join(f"{name}={quote(str(parts[name]), safe='')}" for name in _PLACE if parts.get(name))
    return f"postgresql://{login}:{password}@/{quote(str(parts['dbname']), safe='')}?{place}"


def _connect(parts: dict[str, Any], *, autocommit: bool) -> Connection:
    parts = {"connect_timeout": 5, "application_name": "qikbiz-provisioning", **parts}
    return psycopg.connect(**parts, autocommit=autocommit)
