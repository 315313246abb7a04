"""RQ's worker with what it lacks: it outlives a Redis outage, its work-horse process dies with it, and it runs one
function of ours with three signed arguments instead of what Redis names.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
from typing import Any

import redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from config.fault_injection import fault
from config.settings import Settings
from qikbiz.jobs.transport import ENTRY, FORMER_ENTRIES
from qikbiz.kernel.job_kinds import QUEUES
from workers import lease_watch, run_job
from workers.lanes import Lanes

PR_SET_PDEATHSIG = 1
WORKER_TTL = 45
# rq.Worker.dequeue_timeout
RQ_WAITS_LESS = 15
SECONDS_TO_ANSWER = 10
# How often a worker looks whether its work-horse process is well.
MONITORING_SECONDS = 5
AWAY = (redis.ConnectionError, redis.TimeoutError)
logger = logging.getLogger(__name__)


class WorkerRefused(Exception):
    """A worker can't start like this; the text says why."""


class SignedJob(Job):
    """A job that can be nothing but `workers.run_job.run`. Call-backs, web hooks and repeats in Redis are ignored."""

    def restore(self, raw_data: Any) -> Any:
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []
        self.repeats_left = self.retries_left = self.rate_limit_key = None

    @property
    def func(self) -> Any:
        if (
            self.func_name not in (ENTRY, *FORMER_ENTRIES)
            or self.instance is not None
            or self.kwargs
            or len(self.args) != 3
        ):
            # RQ alone runs any importable function that Redis names, so write access to Redis would run code.
            logger.critical("job_not_ours", extra={"job": self.id, "function": str(self.func_name)[:100]})
            raise run_job.NotOurs("Only signed jobs of ours are run.")
        return run_job.run

    def _execute(self) -> Any:
        return self.func(*self.args)


class ReliableWorker(Worker):
    """One queue, one job at a time. `lanes` are the queue's further workers, kept by this one."""

    job_class = SignedJob
    lanes: Lanes | None = None

    def heartbeat(self, *arguments: Any, **named: Any) -> None:
        if self.lanes is not None:
            self.lanes.reap()
        super().heartbeat(*arguments, **named)

    def request_stop(self, *arguments: Any) -> None:
        if self.lanes is not None:
            self.lanes.end()
        super().request_stop(*arguments)  # type: ignore[no-untyped-call]

    def execute_job(self, *arguments: Any, **named: Any) -> None:
        fault("worker.after_pop")
        super().execute_job(*arguments, **named)

    def fork_work_horse(self, *arguments: Any, **named: Any) -> None:
        lease_watch.extend(lease_watch.SECONDS_TO_CLAIM)
        super().fork_work_horse(*arguments, **named)
        if self.lanes is not None:
            self.lanes.open()

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self.pid:  # the worker died before the line above took effect
            os._exit(1)

    def maintain_heartbeats(self, *arguments: Any, **named: Any) -> None:
        if self.lanes is not None:
            self.lanes.open()
        if lease_watch.is_over():
            # Frozen, or deaf to its claim being lost. Nothing of it can be committed; its queue needs the place.
            self.log.error("Worker %s: killed a work-horse whose lease ran out", self.name)
            self.kill_horse()
            return
        try:
            super().maintain_heartbeats(*arguments, **named)
        except AWAY as error:
            self.log.warning("Worker %s: heartbeat not sent: %s", self.name, type(error).__name__)

    def subscribe(self) -> None:
        # No orders through Redis: a cancelled job is a row, and write access to Redis must not stop workers.
        return

    def register_death(self) -> None:
        self.connection.set_retry(Retry(NoBackoff(), 0))
        try:
            super().register_death()  # type: ignore[no-untyped-call]
        except AWAY:
            self.log.warning("Worker %s: ended while Redis was away", self.name)


def make_worker(settings: Settings, queues: list[str], *, ttl: int = WORKER_TTL) -> ReliableWorker:
    """A worker for exactly one queue. It waits for jobs `ttl` - 15 s, then says that it lives. Raises WorkerRefused."""
    if len(queues) != 1:
        raise WorkerRefused("A worker serves exactly one queue: with several, RQ loses the job it dies on.")
    if queues[0] not in QUEUES:
        raise WorkerRefused(f"There is no queue {queues[0]!r}. The queues are {', '.join(QUEUES)}.")
    connection = patient_connection(settings.redis_url, seconds=ttl - RQ_WAITS_LESS + SECONDS_TO_ANSWER)
    refuse_eviction(connection)
    lease_watch.begin()
    queue = Queue(queues[0], connection=connection, serializer=JSONSerializer, job_class=SignedJob)
    return ReliableWorker(
        [queue],
        connection=connection,
        serializer="json",
        worker_ttl=ttl,
        maintenance_interval=15,
        job_monitoring_interval=MONITORING_SECONDS,
        log_job_description=False,
    )


def patient_connection(url: str, *, seconds: float) -> redis.Redis:
    """A connection that waits about two minutes for a Redis that is away, and `seconds` for each answer.

    Less than an idle worker waits for a job would cut its waiting off, again and again, before it says that it lives.
    RQ would raise it too, but not for the connections that were used before.
    """
    retry = Retry(ExponentialBackoff(cap=2, base=0.1), 60)
    return redis.Redis.from_url(url, socket_timeout=seconds, retry=retry, retry_on_error=list(AWAY), driver_info=None)


def refuse_eviction(connection: redis.Redis) -> None:
    """With any other policy a full Redis throws jobs and sessions away without a word."""
    try:
        policy = connection.info("memory").get("maxmemory_policy")
    except redis.RedisError as error:
        raise WorkerRefused(
            f"Redis can't be asked ({type(error).__name__}); a worker waits two minutes for it."
        ) from error
    if policy != "noeviction":
        raise WorkerRefused(f"Redis has maxmemory-policy {policy}; set it to noeviction, or queued jobs may vanish.")
