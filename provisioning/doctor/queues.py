"""Redis, and whether a worker serves each queue."""

import time
from collections.abc import Iterator

import redis
from rq import Queue, Worker

from config.settings import Settings
from provisioning.doctor.checks import Check
from provisioning.doctor.faults import REDIS_FULL
from qikbiz.kernel.job_kinds import QUEUES
from tenants.redis import RedisStore

PROBE = "qb:doctor"
MOST_OF_THE_MEMORY = 0.9
OLDEST = {"redis": 7, "valkey": 8}


def redis_server(settings: Settings) -> Iterator[Check]:
    with _connected(settings) as client:
        facts = client.info("everything")
        yield version_check(facts)
        yield single_server_check(facts)
        yield _memory(client, facts)
    keeps = facts.get("aof_enabled") == 1
    yield Check(
        "redis persistence",
        keeps,
        "every change is appended to a file" if keeps else "changes are lost when it stops",
        "" if keeps else "Set `appendonly yes` and `appendfsync everysec`.",
    )
    policy = str(facts.get("maxmemory_policy", "unknown"))
    keeps = policy == "noeviction"
    remedy = "" if keeps else "Set `maxmemory-policy noeviction`; else jobs and sessions vanish when memory is full."
    yield Check("redis eviction", keeps, f"maxmemory-policy is {policy}", remedy)


def queues(settings: Settings) -> Iterator[Check]:
    with _connected(settings) as client:
        for name in QUEUES:
            queue = Queue(name, connection=client)
            # Not Worker.count: that knows the dead as well.
            workers = len(Worker.all(queue=queue))
            detail = f"{workers} worker{'' if workers == 1 else 's'}, {queue.count} waiting"
            remedy = "" if workers else f"Start `python -m workers {name}` (`make run` starts one of each)."
            yield Check(f"queue {name}", workers > 0, detail, remedy)


def sweeper(settings: Settings) -> Iterator[Check]:
    """It shows itself in Redis each round; what it wrote there lasts a minute (workers.sweeper)."""
    with _connected(settings) as client:
        seen = client.hget(RedisStore(settings.redis_url, prefix=settings.redis_prefix).platform_key("sweeper"), "at")
    if seen is None:
        remedy = "Start `python -m workers.sweeper` (`make run` does). Without it, lost jobs are not restarted."
        yield Check("sweeper", False, "no round in the last minute", remedy)
    else:
        yield Check("sweeper", True, f"last round {max(0, round(time.time() - int(seen)))} s ago")


def version_check(facts: dict[str, object]) -> Check:
    kind = "valkey" if "valkey_version" in facts else "redis"
    version = str(facts[f"{kind}_version"])
    is_new = int(version.split(".", maxsplit=1)[0]) >= OLDEST[kind]
    remedy = "" if is_new else "QikBiz needs Redis 7, Valkey 8 or newer: upgrade the server."
    return Check("redis", is_new, f"{kind.capitalize()} {version}", remedy)


def single_server_check(facts: dict[str, object]) -> Check:
    is_cluster = str(facts.get("cluster_enabled", 0)) == "1"
    remedy = "The workers can't use a Redis Cluster. Set QIKBIZ_REDIS_URL to a single server."
    said = "a cluster" if is_cluster else "a single server"
    return Check("redis kind", not is_cluster, said, remedy if is_cluster else "")


def _memory(client: redis.Redis, facts: dict[str, object]) -> Check:
    used, most = int(str(facts.get("used_memory", 0))), int(str(facts.get("maxmemory", 0)))
    said = f"{used // 2**20} MiB used" + (f" of {most // 2**20}" if most else ", no limit set")
    try:
        client.set(PROBE, "1", ex=1)
    except redis.exceptions.OutOfMemoryError:
        return Check("redis memory", False, f"full: {said}", REDIS_FULL)
    is_enough = not most or used < most * MOST_OF_THE_MEMORY
    return Check("redis memory", is_enough, said, "" if is_enough else REDIS_FULL)


def _connected(settings: Settings) -> redis.Redis:
    return redis.Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=5)
