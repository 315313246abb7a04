"""What staff and commands do to an organisation stands in its own audit too, and what concerns its people is mailed."""

from __future__ import annotations

from collections.abc import Mapping

from qikbiz.audit.actions import record
from qikbiz.identity.accounts.queries import administrators
from qikbiz.kernel.actors import SYSTEM, acting_as, current_actor
from qikbiz.kernel.database import db, runtime, tenant_transaction
from qikbiz.messaging.mail.actions import send
from tenants.control import TenantRecord
from tenants.directory import read_tenant

# In these it has a schema to write into.
_WRITABLE = ("active", "suspended", "closing")


def notify_tenant(
    found: TenantRecord,
    action: str,
    *,
    mail: str = "",
    once: object = "",
    facts: Mapping[str, object] | None = None,
    **details: object,
) -> None:
    """Record the act in the tenant's audit, before the act itself is committed: one that can't be recorded is not done.

    With `mail`, a template, its administrators are mailed too; `once` tells this act from another of its kind, so that
    a retried transaction mails once.
    """
    tenant = read_tenant(db.control(), found.id, runtime().settings.base_domain)
    if tenant is None or found.state not in _WRITABLE or not found.version:
        return
    actor = current_actor()
    # Staff enter nowhere without a grant (P8): the program writes the line, in the name of the actor.
    with acting_as(SYSTEM), tenant_transaction(tenant):
        with acting_as(actor):
            record(f"organisation.{action}", subject=found.name, details=details)
        if mail:
            url = runtime().settings.origin(tenant.host)
            _mail(mail, found, {"organisation": found.name, "url": url, **(facts or {})}, f"{mail}:{once}")


def _mail(template: str, found: TenantRecord, facts: Mapping[str, object], key: str) -> None:
    """To every administrator; while nobody has accepted the first invitation, to the address that it went to."""
    people = [(str(one.id), one.email, one.name) for one in administrators()]
    for person, email, name in people or [("first", found.admin_email, "")]:
        send(template, to_address=email, to_name=name, values={"name": name, **facts}, dedupe_key=f"{key}:{person}")
