"""How a job travels: its tenant and id, signed, through RQ. Nothing here is the truth; all of it may be lost.

The only module of this package that knows RQ.
"""

from __future__ import annotations

import logging
from typing import cast
from uuid import UUID

from flask import current_app
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from config.keys import KeyRing
from qikbiz.jobs.kinds import find_kind
from qikbiz.jobs.ledger import Due
from qikbiz.kernel.database import runtime
from tenants.redis import RedisAway, RedisStore

ENTRY = "workers.run_job.run"
# What announced jobs were called before; a worker takes these for one release more.
FORMER_ENTRIES = frozenset({"workers.wrapper.run"})
KEPT_IN_REDIS_SECONDS = 24 * 3600
_PURPOSE = "job"
logger = logging.getLogger(__name__)


def signature(keys: KeyRing, tenant_id: UUID | None, job_id: UUID) -> str:
    return keys.mac(_PURPOSE, _message(tenant_id, job_id)).hex()


def is_signed(keys: KeyRing, tenant_id: UUID | None, job_id: UUID, claimed: str) -> bool:
    try:
        return keys.verify_mac(_PURPOSE, _message(tenant_id, job_id), bytes.fromhex(claimed))
    except ValueError:
        return False


def announce(tenant_id: UUID | None, due: Due) -> bool:
    """Put the job before the workers of its queue. False when Redis is away or full: the sweeper comes back to it."""
    keys = runtime().settings.keys
    arguments = [str(tenant_id) if tenant_id else None, str(due.job_id), signature(keys, tenant_id, due.job_id)]
    kind = find_kind(due.kind)
    try:
        with queue_store().client() as client:
            queue_named(due.queue, client).enqueue_call(
                ENTRY,
                args=arguments,
                job_id=travel_id(due),
                description=due.kind,
                # The worker's own limit; RQ would otherwise stop a job after three minutes.
                timeout=kind.timeout_seconds if kind else 60,
                result_ttl=0,
                failure_ttl=KEPT_IN_REDIS_SECONDS,
                ttl=KEPT_IN_REDIS_SECONDS,
            )
    except RedisAway:
        logger.warning("job_not_announced", extra={"job": str(due.job_id), "kind": due.kind})
        return False
    return True


def travel_id(due: Due) -> str:
    """The id under which this try of the job travels: announcing it twice leaves one record in Redis."""
    return f"{due.job_id}-{due.attempt}"


def waiting(queue: str) -> set[str]:
    """The travel ids that lie in a queue. Raises RedisAway."""
    with queue_store().client() as client:
        return set(queue_named(queue, client).get_job_ids())


def queue_named(name: str, client: Redis) -> Queue:
    return Queue(name, connection=client, serializer=JSONSerializer)


def queue_store() -> RedisStore:
    """RQ's connection: it keeps compressed bytes, so it needs one that doesn't decode."""
    store = current_app.extensions.get("qikbiz.queues")
    if store is None:
        settings = runtime().settings
        store = RedisStore(settings.redis_url, prefix=settings.redis_prefix, decode=False)
        current_app.extensions["qikbiz.queues"] = store
    return cast(RedisStore, store)


def _message(tenant_id: UUID | None, job_id: UUID) -> bytes:
    return (tenant_id.bytes if tenant_id else bytes(16)) + job_id.bytes
