"""What a worker will not do: foreign functions, forged announcements, two queues, a Redis that throws things away."""

import re
import signal
import zlib
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import update

from config.fault_injection import FaultInjected, fault
from config.settings import Settings
from qikbiz.jobs import transport
from qikbiz.jobs.actions import enqueue
from qikbiz.jobs.kinds import kind_named, kinds, title_of
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.job_kinds import QUEUES
from tests.fixtures.workers import ROOT, WorkerHarness, eventually
from tests.fixtures.world import World
from workers import run_job
from workers.worker import SignedJob, WorkerRefused, make_worker

PRODUCT_KINDS = {name: kind for name, kind in kinds().items() if not name.startswith("test.")}


@pytest.mark.parametrize("name", PRODUCT_KINDS)
def test_every_kind_names_a_function(name: str) -> None:
    assert callable(run_job.function_of(PRODUCT_KINDS[name]))
    # The workers' package is the engine, and holds no job.
    assert PRODUCT_KINDS[name].function.startswith(("qikbiz.", "provisioning.jobs:"))


def test_every_queue_has_one_worker_and_every_worker_one_queue() -> None:
    started = re.findall(r"^\S+: python -m workers (.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    assert sorted(started) == sorted(QUEUES)
    assert {kind.queue for kind in PRODUCT_KINDS.values()} == set(QUEUES)


def test_a_kind_of_the_other_ledger_is_unknown() -> None:
    with pytest.raises(KeyError):
        kind_named("tenants.create", is_platform=False)
    with pytest.raises(KeyError):
        kind_named("exports.create", is_platform=True)


def test_no_kind_bears_a_retired_word() -> None:
    retired = {"forget", "doubt", "tell", "drive", "watch", "trim", "hand", "closings", "persons", "access", "try"}
    assert not [name for name in PRODUCT_KINDS if retired & set(re.split(r"[._]", name.replace("access_log", "")))]


def test_a_kind_is_found_by_its_former_name_for_one_release_more() -> None:
    assert kind_named("test.former", is_platform=False) is kinds()["test.renamed"]
    assert title_of("test.former") == "A test"
    assert "test.former" not in kinds()


@pytest.mark.usefixtures("working")
def test_a_queued_job_with_the_former_name_of_its_kind_still_runs(world: World) -> None:
    with tenant_transaction(world.acme.tenant) as session:
        job = enqueue("test.former", {})
        assert job.kind == "test.renamed"
        session.execute(update(Job).where(Job.id == job.id).values(kind="test.former"))
    assert run_job.perform(world.acme.tenant.id, job.id) == "done"


def test_jobs_announced_under_the_former_name_are_run_for_one_release_more(settings: Settings) -> None:
    connection = redis.Redis.from_url(settings.redis_url)
    for name in (transport.ENTRY, *transport.FORMER_ENTRIES):
        job = SignedJob.create(name, args=(None, "job", "mac"), connection=connection, serializer=JSONSerializer)
        assert job.func is run_job.run


@pytest.mark.faults
@pytest.mark.usefixtures("world")
def test_a_function_pushed_into_redis_by_hand_is_not_run(
    settings: Settings, worker_harness: WorkerHarness, tmp_path: Path
) -> None:
    """RQ alone runs any importable function that Redis names."""
    trace = tmp_path / "trace"
    connection = redis.Redis.from_url(settings.redis_url)
    queue = Queue("checks", connection=connection, serializer=JSONSerializer)
    queue.enqueue("os.system", f"touch {trace}")
    queue.enqueue("workers.run_job.run", None, str(uuid4()), "00" * 32)
    queue.enqueue("workers.run_job.run", None, "not a uuid", 7)
    worker = worker_harness.worker("checks")
    eventually(lambda: worker_harness.log(worker).count("job_not_ours") >= 2)
    eventually(lambda: len(queue) == 0)
    assert not trace.exists()
    assert worker.poll() is None
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0


@pytest.mark.usefixtures("working")
def test_an_announcement_with_another_tenant_or_job_is_not_signed(world: World) -> None:
    keys, acme, globex, job = world.settings.keys, world.acme.tenant.id, world.globex.tenant.id, uuid4()
    signed = transport.signature(keys, acme, job)
    assert transport.is_signed(keys, acme, job, signed)
    assert not transport.is_signed(keys, globex, job, signed)
    assert not transport.is_signed(keys, None, job, signed)
    assert not transport.is_signed(keys, acme, uuid4(), signed)
    for forged in ("", "zz", signed[:-2], signed.replace(signed[0], "0")):
        assert forged == signed or not transport.is_signed(keys, acme, job, forged)


def test_calls_and_repeats_that_lie_in_redis_are_ignored(settings: Settings) -> None:
    connection = redis.Redis.from_url(settings.redis_url)
    job = SignedJob("a-1", connection=connection, serializer=JSONSerializer)
    job.restore(
        {
            b"data": zlib.compress(b'["os.system", null, ["true"], {}]'),
            b"success_callback_name": b"os.system",
            b"failure_callback_name": b"os.system",
            b"stopped_callback_name": b"os.system",
            b"webhooks": b'[{"url": "http://169.254.169.254/"}]',
            b"repeats_left": b"9",
            b"retries_left": b"9",
        }
    )
    assert (job.success_callback, job.failure_callback, job.stopped_callback, job.webhooks) == (None, None, None, [])
    assert (job.repeats_left, job.retries_left) == (None, None)
    with pytest.raises(run_job.NotOurs):
        _ = job.func


@pytest.mark.parametrize(
    ("queues", "reason"), [([], "one queue"), (["mail", "checks"], "one queue"), (["deals"], "no queue 'deals'")]
)
def test_a_worker_serves_exactly_one_known_queue(settings: Settings, queues: list[str], reason: str) -> None:
    with pytest.raises(WorkerRefused, match=reason):
        make_worker(settings, queues)


def test_a_worker_with_two_queues_ends_with_a_sentence(worker_harness: WorkerHarness) -> None:
    both = worker_harness.worker("mail", "checks")
    assert both.wait(20) == 2
    said = "A worker serves exactly one queue: with several, RQ loses the job it dies on."
    assert worker_harness.log(both).strip() == said


def test_a_worker_refuses_a_redis_that_evicts(settings: Settings) -> None:
    """With such a policy a full Redis accepts jobs and drops them."""
    connection = redis.Redis.from_url(settings.redis_url)
    connection.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(WorkerRefused, match="noeviction"):
            make_worker(settings, ["mail"])
    finally:
        connection.config_set("maxmemory-policy", "noeviction")
    assert make_worker(settings, ["mail"]).queue_names() == ["mail"]


def test_fault_points_have_names_of_their_own_and_do_nothing_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [
        path for folder in ("platform", "workers", "provisioning", "tenants") for path in (ROOT / folder).rglob("*.py")
    ]
    points = [point for path in sources for point in re.findall(r"\bfault\(\"([^\"]+)\"\)", path.read_text())]
    assert {"job.before_claim", "job.after_claim", "job.before_finish", "job.after_finish"} <= set(points)
    assert len(points) == len(set(points))
    for point in points:
        fault(point)
    monkeypatch.setenv("QIKBIZ_FAULT", "job.before_claim=raise")
    with pytest.raises(FaultInjected):
        fault("job.before_claim")
    fault("job.after_claim")
