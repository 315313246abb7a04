"""Jobs about the privacy statement: check that the announced notice is public, and notify administrators."""

from __future__ import annotations

import logging
from datetime import timedelta

from qikbiz.audit.actions import record_on_platform
from qikbiz.jobs.job_context import JobContext
from qikbiz.jobs.job_outcomes import JobRefused
from qikbiz.kernel import clock
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import Unavailable
from qikbiz.trust.privacy.actions import record_probe
from qikbiz.trust.privacy.bundled_versions import altered_files, bundled_statements
from qikbiz.trust.privacy.emails import notify_administrators, warn_operators
from qikbiz.trust.privacy.notice_probe import look_at_notice
from qikbiz.trust.privacy.queries import Standing, invalidate_standing, standing

logger = logging.getLogger(__name__)


def probe_notice(work: JobContext) -> None:
    """Look at the public notice while one is running, and at the files whether they are what was announced."""
    invalidate_standing()
    now = standing()
    coming = now.announced if now.is_certain else None
    look = look_at_notice(runtime().settings, coming) if coming else None
    with work.finish():
        if coming and look:
            record_probe(coming.number, stood=look.stood, page_sha256=look.page_sha256, remark=look.remark)
            if not look.stood:
                logger.error("notice_not_found", extra={"version": coming.number, "reason": look.remark})
        _check_files(now)


def notify_of_statement(work: JobContext) -> None:
    """Mail to each administrator of the tenant: a version was announced, or withdrawn."""
    invalidate_standing()
    now = standing()
    if not now.is_certain:
        soon = clock.now() + timedelta(minutes=1)
        raise Unavailable("The announcements can't be read.", retry_at=soon)
    version = now.version(int(work.arguments["version"]))
    if version is None:
        raise JobRefused("This version was never announced.")
    with work.finish():
        notify_administrators(version, str(work.arguments["what"]))


def _check_files(now: Standing) -> None:
    announced = {version.number: version.sha256 for version in now.versions}
    files = bundled_statements(runtime().settings.holiday_countries)
    for number in altered_files(files.statements, announced):
        found = files.version(number)
        assert found is not None
        logger.error("statement_file_differs", extra={"version": number})
        details = {"announced": announced[number], "found": found.text.sha256}
        record_on_platform("statement.file_differs", subject=f"Version {number}", details=details)
        warn_operators(number, announced[number], found.text.sha256)
    for name, why in files.refused:
        logger.error("statement_file_refused", extra={"file": name, "reason": why})
