"""`make bench`: every measurement in one run, as a table and as `bench-results.json`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from rich.console import Console

from tests.bench.cases.crowd import measure_crowd
from tests.bench.cases.forgotten import measure_forgotten
from tests.bench.cases.listing import measure_listing
from tests.bench.cases.migrate import measure_migration
from tests.bench.cases.moving import measure_moving
from tests.bench.cases.neighbours import measure_neighbours
from tests.bench.cases.provision import measure_provisioning
from tests.bench.cases.server import measure_server
from tests.bench.cases.start import measure_start
from tests.bench.peer import Peer, prepare_peer
from tests.bench.report import Figure, show, write
from tests.bench.stage import BUILD, ROOT, Stage, stage

Case = Callable[[Stage, Peer, bool], list[Figure]]
CASES: dict[str, Case] = {
    "provision": lambda played, peer, quick: measure_provisioning(played, peer, times=3 if quick else 20),
    "migrate": lambda played, peer, quick: measure_migration(played, peer, tenants=10 if quick else 100),
    "list": lambda played, peer, quick: measure_listing(
        played, peer, contacts=5_000 if quick else 100_000, requests=100 if quick else 1_000
    ),
    "start": lambda played, peer, quick: measure_start(played, jobs=5 if quick else 20),
    "server": lambda played, peer, quick: measure_server(played, requests=100 if quick else 1_000),
    "forgotten": lambda played, peer, quick: measure_forgotten(played, each=50 if quick else 400),
    "move": lambda played, peer, quick: measure_moving(played, rows=20_000 if quick else 1_000_000),
    "neighbours": lambda played, peer, quick: measure_neighbours(
        played, requests=100 if quick else 1_000, rows=50_000 if quick else 1_000_000
    ),
    "crowd": lambda played, peer, quick: measure_crowd(
        played, tenants=30 if quick else 1_000, requests=100 if quick else 1_000
    ),
}


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    words.add_argument("--quick", action="store_true", help="small sizes: does the bench itself work?")
    words.add_argument("--only", choices=sorted(CASES), action="append", help="just these cases")
    given = words.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    figures: list[Figure] = []
    speech = Console(stderr=True)
    for name in given.only or list(CASES):
        # Fresh servers for each case: none inherits another's tables, caches or bloat.
        with stage() as played:
            speech.print(f"[dim]{name} …[/dim]")
            figures += CASES[name](played, prepare_peer(played), given.quick)
    show(figures)
    write(figures, ROOT / "bench-results.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
