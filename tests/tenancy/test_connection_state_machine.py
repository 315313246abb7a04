"""On a pool of one connection each transaction is in the tenant it was begun for, or fails."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.orm import Session

from provisioning.application import working_application
from qikbiz.kernel.database import db, tenant_transaction
from tenants.cells import Cells
from tenants.context import NoTenantEntered, Tenant, WrongTenant, tenant_context
from tests.fixtures.world import World
from tests.tenancy.twin_tenants import IDS, Twins, make_twins

WHO = text("SELECT current_user, current_schema, (SELECT min(last_name) FROM contacts WHERE id = :id)")
OURS = "one-connection"
END = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = %s"
side = st.sampled_from(["left", "right"])


class OneConnection(RuleBasedStateMachine):
    """Requests and jobs of two tenants, one after another, with everything that can go wrong in them."""

    twins: Twins
    cells: Cells
    end_backends: Callable[[], None]

    @initialize()
    def start(self) -> None:
        type(self).cells.dispose()

    @rule(side=side, commit=st.booleans())
    def request_reads_and_writes(self, side: str, commit: bool) -> None:
        tenant = getattr(self.twins, side)
        with suppress(InterruptedError), tenant_transaction(tenant) as session:
            self.assert_in(tenant, session)
            session.execute(text("UPDATE contacts SET description = last_name"))
            if not commit:
                raise InterruptedError

    @rule(side=side)
    def statement_fails(self, side: str) -> None:
        tenant = getattr(self.twins, side)
        with pytest.raises(DBAPIError), tenant_transaction(tenant) as session:
            self.assert_in(tenant, session)
            session.execute(text("SELECT 1 / 0"))

    @rule(side=side, rollback=st.booleans())
    def savepoint(self, side: str, rollback: bool) -> None:
        """django-tenants 1262: a rollback to a savepoint restored the path of another tenant."""
        tenant = getattr(self.twins, side)
        with tenant_transaction(tenant) as session:
            self.assert_in(tenant, session)
            with suppress(InterruptedError, DBAPIError), session.begin_nested():
                self.assert_in(tenant, session)
                if rollback:
                    session.execute(text("SELECT 1 / 0"))
            self.assert_in(tenant, session)

    @rule(side=side)
    def commits_in_the_middle(self, side: str) -> None:
        """What a command does in steps: the next transaction of the same session is in the same tenant again."""
        tenant = getattr(self.twins, side)
        with tenant_transaction(tenant) as session:
            self.assert_in(tenant, session)
            session.commit()
            self.assert_in(tenant, session)

    @rule(side=side)
    def job_streams_a_snapshot(self, side: str) -> None:
        tenant = getattr(self.twins, side)
        with tenant_transaction(tenant, snapshot=True) as session:
            self.assert_in(tenant, session)
            with pytest.raises(DBAPIError):
                session.execute(text("DELETE FROM contacts"))

    @rule(side=side)
    def many_rows_are_written_at_once(self, side: str) -> None:
        tenant = getattr(self.twins, side)
        with tenant_transaction(tenant) as session:
            rows = [{"id": id_} for id_ in IDS]
            session.execute(text("UPDATE contacts SET description = 'many' WHERE id = :id"), rows)
            self.assert_in(tenant, session)

    @rule(side=side)
    def server_ends_the_connection(self, side: str) -> None:
        tenant = getattr(self.twins, side)
        with suppress(DBAPIError, InvalidRequestError), tenant_transaction(tenant) as session:
            self.assert_in(tenant, session)
            type(self).end_backends()
            session.execute(WHO, {"id": IDS[0]})
            raise AssertionError("the connection was ended, and yet it answered")

    @rule()
    def server_ends_the_idle_connection(self) -> None:
        type(self).end_backends()
        # The first after it may fail, as a request may; it must not work for the wrong one.
        with suppress(DBAPIError), tenant_transaction(self.twins.left) as session:
            self.assert_in(self.twins.left, session)

    @rule(side=side)
    def statement_takes_too_long_and_is_cancelled(self, side: str) -> None:
        tenant = getattr(self.twins, side)
        with (
            pytest.raises(DBAPIError, match="statement timeout"),
            tenant_transaction(tenant, statement_timeout_ms=20) as work,
        ):
            work.execute(text("SELECT pg_sleep(5)"))

    @rule(side=side)
    def request_is_cancelled_from_outside(self, side: str) -> None:
        tenant = getattr(self.twins, side)
        with suppress(KeyboardInterrupt), tenant_transaction(tenant) as session:
            self.assert_in(tenant, session)
            raise KeyboardInterrupt

    @rule(side=side)
    def request_forgets_to_end_its_session(self, side: str) -> None:
        tenant = getattr(self.twins, side)
        with tenant_context(tenant):
            session = db.session()
            self.assert_in(tenant, session)
            db.session.remove()

    @rule()
    def nobody_is_entered(self) -> None:
        with pytest.raises(NoTenantEntered):
            db.session.execute(text("SELECT 1 FROM contacts"))
        db.session.remove()

    @rule(side=side)
    def another_is_entered_inside(self, side: str) -> None:
        tenant = getattr(self.twins, side)
        other = self.twins.right if tenant is self.twins.left else self.twins.left
        with tenant_transaction(tenant) as session:
            with pytest.raises(WrongTenant), tenant_transaction(other):
                pass
            self.assert_in(tenant, session)

    @rule(side=side)
    def settings_are_left_for_the_session(self, side: str) -> None:
        """Code of ours that forgets LOCAL, and commits: the next transaction sets its own over it."""
        tenant = getattr(self.twins, side)
        other = self.twins.right if tenant is self.twins.left else self.twins.left
        with tenant_transaction(tenant) as session:
            session.execute(text(f"SET search_path = {other.schema}"))
            session.execute(text(f"SET ROLE {other.role}"))

    @rule(side=side)
    def role_is_dropped_inside(self, side: str) -> None:
        """Even code of ours that runs RESET ROLE on its own leaves nothing behind for the next."""
        tenant = getattr(self.twins, side)
        with suppress(DBAPIError), tenant_transaction(tenant) as session:
            session.execute(text("RESET ROLE"))
            session.execute(WHO, {"id": IDS[0]})

    @invariant()
    def both_are_in_their_own(self) -> None:
        for tenant in (self.twins.left, self.twins.right):
            with tenant_transaction(tenant) as session:
                self.assert_in(tenant, session)

    def assert_in(self, tenant: Tenant, session: Session) -> None:
        row = session.execute(WHO, {"id": IDS[0]}).one()
        assert tuple(row) == (tenant.role, tenant.schema, self.twins.canary(tenant))


@pytest.fixture
def machine(world: World, make_tenant: Callable[..., Tenant]) -> Iterator[type[OneConnection]]:
    with working_application(world.settings) as runtime:
        runtime.cells.dispose()
        runtime.cells = Cells(runtime._cell_dsn, pool_size=1, max_overflow=0, application_name=OURS)
        OneConnection.twins, OneConnection.cells = make_twins(make_tenant), runtime.cells

        def end_backends() -> None:
            with psycopg.connect(world.settings.provisioner_url or "", autocommit=True) as owner:
                owner.execute(END, (OURS,))

        OneConnection.end_backends = staticmethod(end_backends)
        yield OneConnection


def test_nothing_is_ever_left_behind_on_a_connection(machine: type[OneConnection]) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # Hypothesis leaves it untyped
        machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
