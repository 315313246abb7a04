"""An account to close: a tenant of its own with people and records, a clock to move, and the work done here and now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from config.settings import Settings
from provisioning.application import working_with
from provisioning.closing import advance_closings
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.audit.models import AuditEvent
from qikbiz.kernel import clock as system_clock
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.mail.models import PlatformMail
from qikbiz.transfer.exports.models import Export
from qikbiz.trust.account_closure.models import ENDED, Closing, ErasureCertificate
from qikbiz.trust.account_closure.queries import standing_closing
from qikbiz.trust.billing.models import ChargePolicy, Invoice
from qikbiz.trust.billing.policies import GENERAL
from tenants.context import Tenant
from tenants.control import TenantRecord
from tests.fixtures.people import Person
from tests.fixtures.statements import CLOCK, as_notary
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workers.run_job import perform


class Clock:
    """The product's time and the notary's: the real one, moved."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.offset = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def move(self, **by: float) -> None:
        self.offset += timedelta(**by)
        self.move_notary(self.offset)

    def rewind(self) -> None:
        if self.offset:
            self.offset = timedelta(0)
            self.move_notary(self.offset)

    def move_notary(self, offset: timedelta) -> None:
        moment = f"clock_timestamp() + interval '{offset.total_seconds()} seconds'"
        with as_notary(self.settings) as connection:
            connection.execute(CLOCK.format(moment).encode())


@dataclass
class Leaving:
    """A tenant that closes its account. Alice and Carol administer it, Ben is a member, Bob reads."""

    world: World
    app: QikBiz
    tenant: Tenant
    people: dict[str, Person]
    clock: Clock
    log_in: Callable[..., Browser]
    browsers: dict[str, tuple[Browser, timedelta]] = field(default_factory=dict)
    files: list[int] = field(default_factory=list)

    def browser(self, name: str = "alice") -> Browser:
        """That person, with a password given just now: logins end while the clock moves."""
        self.look()
        kept, seen_at = self.browsers.get(name, (None, None))
        if kept is None or (seen_at != self.clock.offset and kept.get("/closing", check=False).status_code == 303):
            kept = self.log_in(self.people[name])
        self.browsers[name] = kept, self.clock.offset
        return kept

    def look(self) -> None:
        """What the watching thread does within half a second."""
        self.app.extensions["qikbiz"].directory.look()

    def advance(self) -> None:
        """A round of the job that advances closings."""
        advance_closings(self.world.settings)
        self.look()

    def make_export(self) -> None:
        """What the worker of exports does with what waits."""
        with tenant_transaction(self.tenant) as session:
            waiting = session.scalars(select(Export.job_id).where(Export.state.in_(("waiting", "running")))).all()
        for job_id in waiting:
            assert job_id is not None
            perform(self.tenant.id, job_id)

    @property
    def folder(self) -> Path:
        """Where its exports lie."""
        return self.world.settings.files / "exports" / str(self.tenant.id)

    @property
    def closing(self) -> Closing:
        """The newest closing of this tenant."""
        with control_transaction() as control:
            newest = select(Closing).where(Closing.tenant_id == self.tenant.id).order_by(Closing.id.desc()).limit(1)
            return control.scalars(newest).one()

    @property
    def record(self) -> TenantRecord:
        with control_transaction() as control:
            return control.get_one(TenantRecord, self.tenant.id)

    @property
    def invoice(self) -> Invoice | None:
        with control_transaction() as control:
            return control.scalars(select(Invoice).where(Invoice.closing_id == self.closing.id)).one_or_none()

    @property
    def certificate(self) -> ErasureCertificate | None:
        with control_transaction() as control:
            of_tenant = ErasureCertificate.tenant_id == self.tenant.id
            return control.scalars(select(ErasureCertificate).where(of_tenant)).one_or_none()

    def mails(self) -> dict[str, int]:
        """How many mails there are of each kind, with whom they went to left out."""
        with control_transaction() as control:
            its = PlatformMail.dedupe_key.startswith(f"closing:{self.closing.id}:")
            counted = select(PlatformMail.template, func.count()).where(its).group_by(PlatformMail.template)
            return {template.removeprefix("closing_"): number for template, number in control.execute(counted)}

    def audited(self) -> list[str]:
        with tenant_transaction(self.tenant) as session:
            wanted = select(AuditEvent.action).where(AuditEvent.record_type == "closing").order_by(AuditEvent.id)
            return [action.removeprefix("closing.") for action in session.scalars(wanted)]

    def to(self, state: str, *, days: int = 30) -> Closing:
        """Take the steps on the pages until the closing is in `state`."""
        steps: tuple[tuple[str, Callable[[], Any]], ...] = (
            ("asked", lambda: self.post("/closing/request", typed=self.tenant.name)),
            ("exporting", lambda: self.post("/closing/acceptance", amount=str(self.closing.quote_amount))),
            ("exported", self.make_export),
            ("confirmed", lambda: self.post("/closing/verification", checksum=self.closing.export_sha256[-8:])),
            ("read_only", lambda: self.post("/closing/retrieval", days=str(days))),
        )
        # From where it stands: a new one, or one that is under way.
        names = [name for name, _ in steps]
        begun = names.index(self.closing.state) + 1 if self._is_under_way() else 0
        for name, act in steps[begun:]:
            act()
            if name == state:
                break
        assert self.closing.state == state
        self.look()
        return self.closing

    def to_accepted(self) -> None:
        self.post("/closing/acceptance", amount=str(self.closing.quote_amount))

    def to_the_end(self) -> None:
        """From read-only to erased, as the days go by."""
        self.advance()
        for days in (23, 6, 1.1):
            self.clock.move(days=days)
            self.advance()
        assert self.closing.state == "erased"

    def end(self) -> None:
        """Nothing is under way any more: the rounds of other tests do not have to advance this one."""
        with control_transaction() as control:
            its = update(Closing).where(Closing.tenant_id == self.tenant.id, Closing.state.not_in(ENDED))
            control.execute(its.values(state="cancelled"))

    def stands_at(self, state: str) -> bool:
        standing = standing_closing(self.tenant.id)
        return (standing.state if standing else "new") == state

    def _is_under_way(self) -> bool:
        return standing_closing(self.tenant.id) is not None

    def post(self, path: str, **form: str) -> Any:
        response = self.browser().post(path, form)
        assert response.status_code == 303, response.text
        return response


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, world: World) -> Iterator[Clock]:
    moved = Clock(world.settings)
    monkeypatch.setattr(system_clock, "now", moved.now)
    yield moved
    moved.rewind()


@pytest.fixture
def make_leaving(
    world: World,
    app: QikBiz,
    fresh_tenant: Callable[..., Tenant],
    make_tenant: Callable[..., Tenant],
    add_person: Callable[..., Person],
    log_in: Callable[..., Browser],
    clock: Clock,
    working: object,
) -> Callable[..., Leaving]:
    assert working

    def make(*, is_shared: bool = False) -> Leaving:
        """`is_shared`: it outlives the test."""
        tenant = (make_tenant if is_shared else fresh_tenant)("Leaving & Sons")
        roles = {"alice": "administrator", "carol": "administrator", "ben": "member", "bob": "reader"}
        people = {name: add_person(tenant, name.title(), role) for name, role in roles.items()}
        return Leaving(world, app, tenant, people, clock, log_in)

    return make


@pytest.fixture
def leaving(make_leaving: Callable[..., Leaving]) -> Iterator[Leaving]:
    one = make_leaving()
    yield one
    one.end()


@pytest.fixture(scope="module")
def _shared(world: World) -> Iterator[dict[str, Leaving]]:
    kept: dict[str, Leaving] = {}
    yield kept
    with working_with(world.runtime):
        for one in kept.values():
            one.end()


@pytest.fixture
def left_at(make_leaving: Callable[..., Leaving], _shared: dict[str, Leaving]) -> Callable[[str], Leaving]:
    """A function that gives a tenant whose closing stands at a state, "new" for none: left_at("exported").

    The same one for all tests of a file; they may change nothing of it, and let its clock stand.
    """

    def at(state: str) -> Leaving:
        if state not in _shared or not _shared[state].stands_at(state):
            one = _shared[state] = make_leaving(is_shared=True)
            if state != "new":
                one.to(state)
        return _shared[state]

    return at


@pytest.fixture
def erased(make_leaving: Callable[..., Leaving], _shared: dict[str, Leaving]) -> Leaving:
    """One that was erased, and the clock is back: the same one for all tests of a file, that only look at it."""
    if "erased" not in _shared:
        one = _shared["erased"] = make_leaving(is_shared=True)
        one.to("read_only")
        one.files = [path.stat().st_size for path in one.folder.iterdir()]
        one.to_the_end()
        one.clock.rewind()
    return _shared["erased"]


@pytest.fixture
def set_fee(working: object) -> Any:
    """A function that sets the general fee and what an hour and a GiB cost: set_fee("20", per_gib="1000000")."""
    assert working

    def put(fee: str, *, per_hour: str = "0", per_gib: str = "0") -> None:
        with control_transaction() as control:
            values = {"fee": Decimal(fee), "per_hour": Decimal(per_hour), "per_gib": Decimal(per_gib)}
            control.merge(ChargePolicy(scope=GENERAL, currency="EUR", reason="Test", **values))

    yield put
    with control_transaction() as control:
        kept = control.get(ChargePolicy, GENERAL)
        if kept is not None:
            control.delete(kept)


@pytest.fixture
def mark_eu(working: object) -> Callable[[UUID], None]:
    """A function that marks a tenant as a customer in the European Union."""
    assert working

    def mark(tenant_id: UUID) -> None:
        with control_transaction() as control:
            control.merge(ChargePolicy(scope=str(tenant_id), tenant_id=tenant_id, is_eu=True, reason="Test"))

    return mark
