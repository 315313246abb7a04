"""All checks in the order a person would make them, and what becomes of one that can't even be made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import redis
from sqlalchemy.exc import SQLAlchemyError

from config.keys import SealBroken
from config.settings import Settings
from provisioning.doctor.faults import remedy_for


@dataclass(frozen=True)
class Check:
    """One finding. `detail` says what was seen, `remedy` what to do; it is empty when all is well."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


Subject = Callable[[Settings], Iterator[Check]]


@dataclass(frozen=True)
class Examination:
    """Everything that `examine` found."""

    checks: tuple[Check, ...]

    @property
    def is_well(self) -> bool:
        return all(check.ok for check in self.checks)


def examine(settings: Settings) -> Examination:
    """Make every check; one that breaks off counts as a finding and the others go on."""
    from provisioning.doctor import databases, homes, machine, queues, rights, tls  # noqa: PLC0415 - they need Check

    subjects: dict[str, Subject] = {
        "home": homes.home,
        "control database": databases.control,
        "tenants' database": databases.tenants,
        "provisioner": rights.provisioner,
        "closed doors": rights.closed_doors,
        "notary": rights.notary,
        "cells": rights.cells,
        "versions": databases.versions,
        "audits": databases.audits,
        "redis": queues.redis_server,
        "queues": queues.queues,
        "sweeper": queues.sweeper,
        "lines to the databases": tls.databases,
        "lines to other servers": tls.others,
        "proxy": tls.proxy,
        "clocks": machine.clocks,
        "keys": machine.keys,
        "disk": machine.disk,
        "mail server": machine.mail_server,
        "front-end files": machine.front_end_files,
    }
    checks: list[Check] = []
    for name, subject in subjects.items():
        known = {check.detail for check in checks if not check.ok}
        # A server that is away breaks many checks off; it is one finding.
        checks += [check for check in _made(name, subject, settings) if check.ok or check.detail not in known]
    return Examination(tuple(checks))


def _made(name: str, subject: Subject, settings: Settings) -> list[Check]:
    found: list[Check] = []
    try:
        found.extend(subject(settings))
    except (psycopg.Error, SQLAlchemyError, redis.RedisError, OSError, SealBroken) as error:
        found.append(Check(name, False, _first_line(error), remedy_for(error, settings)))
    return found


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
