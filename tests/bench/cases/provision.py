"""Making one tenant: ours, django-tenants' with a comparable model, and the bare script as the limit."""

from __future__ import annotations

import json
import statistics
import time

from provisioning.application import working_application
from provisioning.create import create_tenant, schema_script
from provisioning.servers import connect_as_provisioner
from tenants.context import Tenant
from tenants.control import new_id
from tests.bench.peer import Peer
from tests.bench.report import Figure
from tests.bench.stage import Stage

_PEER = """
import json, time
from customers.models import Client, Domain
took = []
for n in range({times}):
    began = time.perf_counter()
    client = Client(schema_name=f"p{first}_{{n}}", name="Peer")
    client.save(verbosity=0)
    Domain.objects.create(domain=f"p{first}-{{n}}.localhost", tenant=client, is_primary=True)
    took.append(time.perf_counter() - began)
print(json.dumps(took))
"""


def measure_provisioning(played: Stage, peer: Peer, *, times: int) -> list[Figure]:
    # As in the worker that makes tenants for the console: a process that stands ready, as the peer's does.
    with working_application(played.settings):
        ours = [_ours(played, number) for number in range(-1, times)][1:]
    bare = [_bare(played) for _ in range(times)]
    theirs = [float(took) for took in json.loads(peer.run(_PEER.format(times=times, first=1)).splitlines()[-1])]
    figure = Figure(
        "provision one tenant",
        "ms",
        statistics.median(ours) * 1000,
        statistics.median(theirs) * 1000,
        "django-tenants",
        "3× faster",
        notes={"bare_script_ms": statistics.median(bare) * 1000, "slowest_ms": max(ours) * 1000},
    )
    figure.reached = (figure.factor or 0) >= 3
    limit = Figure(
        "provision: ours against the bare script", "ms", figure.ours, statistics.median(bare) * 1000, "the script"
    )
    return [figure, limit]


def _ours(played: Stage, number: int) -> float:
    began = time.perf_counter()
    create_tenant(played.settings, f"made-{_letters(number)}", f"Made {number}", "admin@example.com")
    return time.perf_counter() - began


def _bare(played: Stage) -> float:
    name = f"t_bare{new_id().hex[-12:]}"
    tenant = Tenant(new_id(), "bare", "Bare", "active", name, name, "cell_001")
    with connect_as_provisioner(played.settings) as connection:
        script = schema_script(tenant, server_version=connection.info.server_version).encode()
        began = time.perf_counter()
        connection.execute(script)
        connection.commit()
        return time.perf_counter() - began


def _letters(number: int) -> str:
    # Digits that look like letters would be refused as doubles of one another.
    return "".join(chr(ord("a") + int(digit) * 2) for digit in f"{number + 1:04}").replace("i", "z")
