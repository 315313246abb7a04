"""Every kind of job: the only functions that a worker will run, named by string so that this room needs no worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Queue = Literal["exports", "imports", "mail", "checks", "provisioning"]
QUEUES: tuple[Queue, ...] = get_args(Queue)
HOUR = 3600
SECONDS_TO_RECORD = 20


@dataclass(frozen=True, slots=True)
class JobKind:
    """`title` is how people read it; `function` is "module:name".

    A claim holds `lease_seconds` without a heartbeat; a try may take `timeout_seconds`.
    `works_for_asker`: what staff ask for is done by the role of the customer's grant (qikbiz.trust.grants).
    `outside_seconds` is how long it may wait for servers that are not ours, all together.
    After `max_attempts` tries that raised, the job is `failed`; when its worker died each time, `quarantined`. One that
    `changes_records` is neither taken nor done for an account that is closing.
    """

    queue: Queue
    title: str
    function: str
    timeout_seconds: int = 600
    max_attempts: int = 3
    lease_seconds: int = 30
    is_platform: bool = False
    changes_records: bool = False
    works_for_asker: bool = False
    outside_seconds: int = 0

    def __post_init__(self) -> None:
        # What the outside did has to be written down before the limit ends the try, or it would be done again.
        if self.outside_seconds and self.outside_seconds + SECONDS_TO_RECORD > self.timeout_seconds:
            raise ValueError(f"{self.title}: a call outside may take as long as the whole job.")


# A name, once released, is kept for one release after its last use: older jobs may still bear it.
KINDS: dict[str, JobKind] = {
    "exports.make": JobKind(
        "exports", "Create an export", "workers.jobs.exports:make_export", 6 * HOUR, works_for_asker=True
    ),
    "exports.expire": JobKind("exports", "Delete old exports", "workers.jobs.exports:expire_exports"),
    "imports.check": JobKind(
        "imports",
        "Check an import",
        "qikbiz.transfer.imports.jobs:check_import",
        2 * HOUR,
        changes_records=True,
        works_for_asker=True,
    ),
    "imports.apply": JobKind(
        "imports",
        "Apply an import",
        "qikbiz.transfer.imports.jobs:apply_import",
        6 * HOUR,
        changes_records=True,
        works_for_asker=True,
    ),
    "imports.undo": JobKind(
        "imports",
        "Undo an import",
        "qikbiz.transfer.imports.jobs:undo_import",
        6 * HOUR,
        changes_records=True,
        works_for_asker=True,
    ),
    "imports.forget": JobKind("imports", "Delete old uploads", "qikbiz.transfer.imports.jobs:forget_files"),
    # Many tries: a mail server may be away for days (qikbiz.messaging.mail.delivery says when the next one is).
    "mail.send": JobKind(
        "mail", "Send an email", "workers.jobs.mail:send_mail", 120, max_attempts=60, outside_seconds=90
    ),
    "mail.send_platform": JobKind(
        "mail",
        "Send an email",
        "workers.jobs.mail:send_platform_mail",
        120,
        max_attempts=60,
        is_platform=True,
        outside_seconds=90,
    ),
    "announcements.send": JobKind(
        "mail", "Send an announcement", "qikbiz.messaging.announcements.jobs:send_announcement", HOUR, is_platform=True
    ),
    "announcements.deliver": JobKind(
        "mail", "Create an announcement's emails", "qikbiz.messaging.announcements.jobs:deliver", HOUR
    ),
    "announcements.watch": JobKind(
        "mail", "Count an announcement's emails", "qikbiz.messaging.announcements.jobs:watch", HOUR, is_platform=True
    ),
    "notifications.digest": JobKind("mail", "Write a daily digest", "qikbiz.messaging.notifications.jobs:digest"),
    "notifications.forget": JobKind("checks", "Delete old notifications", "qikbiz.messaging.notifications.jobs:forget"),
    "checks.address": JobKind(
        "checks", "Check an address", "qikbiz.security.ip_reputation.jobs:check_address", 60, is_platform=True
    ),
    "checks.forget": JobKind(
        "checks", "Delete old address events", "qikbiz.security.ip_reputation.jobs:forget_addresses", is_platform=True
    ),
    "checks.measure_blocks": JobKind(
        "checks", "Measure false positives", "qikbiz.security.ip_reputation.jobs:measure_blocks", is_platform=True
    ),
    "access.forget": JobKind("checks", "Delete old addresses", "qikbiz.security.access_log.jobs:forget_addresses"),
    "records.hand_over": JobKind("imports", "Transfer records", "qikbiz.identity.members.jobs:hand_over", 2 * HOUR),
    "sessions.forget": JobKind("checks", "Delete old sessions", "workers.jobs.accounts:forget_sessions"),
    "sessions.forget_staff": JobKind(
        "checks", "Delete old staff sessions", "workers.jobs.accounts:forget_staff_sessions", is_platform=True
    ),
    # For any name that is typed: only the job finds out whose it is (qikbiz.identity.accounts.password_links).
    "passwords.link": JobKind("checks", "Send a password reset link", "workers.jobs.accounts:send_password_link", 60),
    "passwords.link_staff": JobKind(
        "checks",
        "Send a password reset link to staff",
        "workers.jobs.accounts:send_staff_password_link",
        60,
        is_platform=True,
    ),
    # Tells Redis, once it can be reached again, which sessions it must not vouch for (identity/accounts/sessions.py).
    "sessions.doubt": JobKind("checks", "End sessions", "workers.jobs.accounts:doubt_sessions", 60, max_attempts=60),
    "sessions.doubt_staff": JobKind(
        "checks",
        "End staff sessions",
        "workers.jobs.accounts:doubt_staff_sessions",
        60,
        max_attempts=60,
        is_platform=True,
    ),
    "audit.check": JobKind("checks", "Verify the audits", "qikbiz.audit.jobs:check_audits", HOUR, is_platform=True),
    "jobs.forget": JobKind("checks", "Delete old jobs", "workers.jobs.periodic:forget_jobs"),
    "jobs.forget_platform": JobKind(
        "checks", "Delete old jobs", "workers.jobs.periodic:forget_platform_jobs", is_platform=True
    ),
    "statements.tell": JobKind(
        "checks", "Notify of a privacy statement", "qikbiz.trust.privacy.jobs:tell_of_statement"
    ),
    "statements.watch": JobKind(
        "checks",
        "Check the published notice",
        "qikbiz.trust.privacy.jobs:watch_notice",
        120,
        is_platform=True,
        outside_seconds=60,
    ),
    "tenants.each": JobKind(
        "checks", "Run each tenant's periodic jobs", "workers.jobs.periodic:ask_each_tenant", HOUR, is_platform=True
    ),
    "jobs.try_again": JobKind(
        "checks", "Retry a job", "workers.jobs.periodic:try_job_of_tenant_again", 60, is_platform=True
    ),
    # Only the provisioning worker may make and drop the logins by which guests come in.
    "grants.open": JobKind(
        "provisioning",
        "Create the database role of a grant",
        "provisioning.jobs:make_grant_role",
        60,
        max_attempts=20,
        is_platform=True,
    ),
    "grants.close": JobKind(
        "provisioning",
        "Drop the database roles of ended grants",
        "provisioning.jobs:drop_grant_roles",
        300,
        is_platform=True,
    ),
    "tenants.create": JobKind(
        "provisioning", "Create a tenant", "provisioning.jobs:create_tenant", 300, is_platform=True
    ),
    "tenants.erase": JobKind(
        "provisioning", "Erase tenants that are due", "provisioning.jobs:erase_tenants", HOUR, is_platform=True
    ),
    # Only the schema's owner can remove events.
    "audit.trim": JobKind(
        "provisioning", "Delete old audit entries", "provisioning.jobs:trim_audits", HOUR, is_platform=True
    ),
    "closings.drive": JobKind(
        "provisioning", "Continue account closures", "provisioning.jobs:drive_closings", HOUR, is_platform=True
    ),
    "persons.erase": JobKind(
        "provisioning", "Erase a person", "provisioning.jobs:erase_data_subject", 600, max_attempts=6
    ),
    "persons.erase_again": JobKind(
        "provisioning", "Erase people again after a restore", "provisioning.jobs:erase_again", 600
    ),
    "tenants.measure": JobKind(
        "provisioning", "Measure all tenants", "provisioning.jobs:measure_tenants", HOUR, is_platform=True
    ),
}


def kind_named(name: str, *, is_platform: bool) -> JobKind:
    """The declared kind. Raises KeyError for an unknown name, or one that belongs to the other ledger."""
    kind = KINDS[name]
    if kind.is_platform != is_platform:
        raise KeyError(f"{name} is a job of {'the platform' if kind.is_platform else 'a tenant'}.")
    return kind


def title_of(name: str) -> str:
    """How people read a kind; a name that is no longer known stays as it is."""
    return KINDS[name].title if name in KINDS else name
