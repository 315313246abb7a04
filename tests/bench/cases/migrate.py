"""Adding one column to a hundred tenants: our runner, and migrate_schemas with two processes."""

from __future__ import annotations

import time
from dataclasses import replace
from unittest.mock import patch

from provisioning import migrate
from provisioning.create import create_tenant
from provisioning.render import Migration, migrations
from tests.bench.peer import Peer
from tests.bench.report import Figure
from tests.bench.stage import Stage

_MAKE = """
from customers.models import Client
for n in range({tenants}):
    if not Client.objects.filter(schema_name=f"m{{n}}").exists():
        Client(schema_name=f"m{{n}}", name="Peer").save(verbosity=0)
"""
_FIELD = "    nickname = models.TextField(null=True)\n"
_BESIDE = "    salutation = models.TextField(null=True)\n"


def measure_migration(played: Stage, peer: Peer, *, tenants: int) -> list[Figure]:
    for number in range(tenants):
        create_tenant(played.settings, f"moved{number + 100}x", f"Moved {number}", "admin@example.com")
    chain = [*migrations("tenant"), _one_column()]
    # The runner itself is what is measured; only the list of versions is one longer than the released one.
    with patch.object(migrate, "migrations", lambda which: chain if which == "tenant" else migrations(which)):
        report = migrate.migrate_everything(played.settings, jobs=2)
    if report.failed:
        raise RuntimeError(f"Migration failed: {report.failed[:3]}")
    ours = report.seconds * tenants / max(report.done, 1)
    figure = Figure(
        f"migrate {tenants} tenants by one column",
        "s",
        ours,
        _peer_seconds(peer, tenants),
        "django-tenants",
        "3× faster",
        notes={"tenants_done": report.done},
    )
    figure.reached = (figure.factor or 0) >= 3
    return [figure]


def _one_column() -> Migration:
    last = migrations("tenant")[-1]
    return replace(last, version="9999", statements=("ALTER TABLE contacts ADD COLUMN bench_nickname text",))


def _peer_seconds(peer: Peer, tenants: int) -> float:
    peer.run(_MAKE.format(tenants=tenants))
    models = peer.folder / "crm" / "models.py"
    models.write_text(models.read_text().replace(_BESIDE, _BESIDE + _FIELD))
    peer.manage("makemigrations", "crm")
    began = time.perf_counter()
    peer.manage("migrate_schemas", "--tenant", "--executor=multiprocessing", "-v", "0")
    return time.perf_counter() - began
