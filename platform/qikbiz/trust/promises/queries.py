"""Each promise of the statement with the organisation's own evidence, how it is kept, and what the tests said."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, url_for
from flask_login import current_user

from config.build import Build
from qikbiz.kernel.access import permission_of
from qikbiz.kernel.database import db
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.kernel.permissions import Permission
from qikbiz.trust.privacy.text import Block, Section, StatementText
from qikbiz.trust.promises.registry import keepings
from qikbiz.trust.promises.test_results import TestResult, TestRun

logger = logging.getLogger(__name__)
UNREADABLE: Fact = ("Not shown", "The evidence could not be loaded. Reload this page in a moment.")


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a promise is kept. `url` is "" when there is no page, or not for this person."""

    how: str
    url: str
    place_name: str
    evidence: Sequence[Fact]
    try_it: str


@dataclass(frozen=True, slots=True)
class PromiseShown:
    """A promise as its page shows it. `state` is one of `STATES`."""

    number: str
    sentence: str
    ways: tuple[Way, ...]
    tests: tuple[TestResult, ...]
    state: str

    @property
    def passed(self) -> int:
        return sum(test.has_passed for test in self.tests)


@dataclass(frozen=True, slots=True)
class SectionShown:
    heading: str
    promises: tuple[PromiseShown, ...]


@dataclass(frozen=True, slots=True)
class RunShown:
    """The last run of the tests beside the build that serves the page. `state` is one of `STATES`."""

    run: TestRun
    running: Build
    state: str

    @property
    def total(self) -> int:
        return len(self.run.tests)

    @property
    def passed(self) -> int:
        return sum(test.has_passed for test in self.run.tests)


# From good to bad: all passed for this very build; all passed, for another build; no run at all; no test; one failed.
STATES = ("passed", "other_build", "not_run", "untested", "failed")


def run_shown(run: TestRun, running: Build) -> RunShown:
    return RunShown(run, running, _state(tuple(run.tests), run, running))


def sections_shown(text: StatementText, last: RunShown, *, in_tenant: bool) -> tuple[SectionShown, ...]:
    """The whole statement, section by section. Evidence and links are only for users of a tenant."""
    return tuple(_section(section, last, in_tenant=in_tenant) for section in text.sections)


def promise_shown(promise: Block, last: RunShown, *, in_tenant: bool) -> PromiseShown:
    tests = last.run.behind.get(promise.number, ())
    return PromiseShown(
        number=promise.number,
        sentence=promise.text,
        ways=tuple(_way(keeping, in_tenant=in_tenant) for keeping in keepings().get(promise.number, ())),
        tests=tests,
        state=_state(tests, last.run, last.running),
    )


def _section(section: Section, last: RunShown, *, in_tenant: bool) -> SectionShown:
    promises = tuple(promise_shown(promise, last, in_tenant=in_tenant) for promise in section.promises)
    return SectionShown(section.heading, promises)


def _state(tests: Sequence[TestResult], run: TestRun, running: Build) -> str:
    if run.at is None:
        return "not_run"
    if not tests:
        return "untested"
    if not all(test.has_passed for test in tests):
        return "failed"
    return "passed" if run.is_of(running) else "other_build"


def _way(keeping: Keeping, *, in_tenant: bool) -> Way:
    may_open = in_tenant and _may_open(keeping.place)
    # Figures are for those who may see the page they come from; a promise without a page has them for everybody.
    is_for_this_person = may_open or (in_tenant and not keeping.place)
    return Way(
        how=keeping.how,
        url=url_for(keeping.place) if may_open else "",
        place_name=keeping.place_name,
        evidence=_evidence(keeping) if is_for_this_person else (),
        try_it=keeping.try_it,
    )


def _may_open(endpoint: str) -> bool:
    view = current_app.view_functions.get(endpoint) if endpoint else None
    permission = permission_of(view) if view else None
    return permission is Permission.PUBLIC or (permission is not None and bool(current_user.can(permission)))


def _evidence(keeping: Keeping) -> Sequence[Fact]:
    """What the package says about this tenant. One that fails takes only its own figures off the page."""
    try:
        with db.session.begin_nested():
            return tuple(keeping.evidence())
    except Exception:
        logger.exception("evidence_failed", extra={"promise": keeping.promise, "place": keeping.place})
        return (UNREADABLE,)
