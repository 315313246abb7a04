"""Sending a mail: a row in the transaction that causes it, and a job that delivers it afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.keys import SealBroken
from qikbiz.identity.accounts.models import User
from qikbiz.jobs.actions import enqueue, enqueue_platform
from qikbiz.kernel.database import db, require_tenant_session, runtime
from qikbiz.messaging.mail.addresses import clean_name, deliverable
from qikbiz.messaging.mail.categories import category_of
from qikbiz.messaging.mail.models import Mail, MailColumns, PlatformMail
from qikbiz.messaging.mail.reachability import refuse_unreachable
from tenants.context import current_tenant
from tenants.control import new_id

Row = TypeVar("Row", Mail, PlatformMail)
SEALED = "sealed"
_PURPOSE = "mail"


def send(
    template: str,
    *,
    to_address: str,
    to_name: str = "",
    values: Mapping[str, object],
    category: str = "",
    to_user: UUID | None = None,
    dedupe_key: str,
    announcement_id: UUID | None = None,
    leave_at: datetime | None = None,
) -> Mail:
    """Have one mail of the tenant entered sent, if the current transaction commits. Once for each `dedupe_key`.

    `values` fill the template; they are kept sealed and are gone once the mail is sent. The template says the category;
    a `category` given must agree. `to_user` is the login whose choices count; without it the one with this address.
    `leave_at` holds it back until then. Raises BadAddress.
    """
    session = require_tenant_session()
    belongs_to = category_of(template, category)
    person_id = to_user or _login_of(session, to_address)
    if belongs_to.can_be_off and person_id is None:
        raise ValueError(f"Emails of {belongs_to.key} go to users only, since only users can switch them off.")
    given = {"template": template, "category": belongs_to.key, "person_id": person_id, "dedupe_key": dedupe_key}
    given |= _recipient(to_address, to_name) | {"announcement_id": announcement_id}
    mail, is_new = _insert(session, Mail, given, _seal(values, current_tenant().id, dedupe_key))
    if is_new:
        _deliver(mail, leave_at)
    return mail


def send_platform(
    template: str,
    *,
    to_address: str,
    to_name: str = "",
    values: Mapping[str, object],
    category: str = "",
    dedupe_key: str,
    must_be_reachable: bool = True,
) -> PlatformMail:
    """The same for mails of the platform itself, inside `control_transaction()`. None of them can be switched off.

    Without `must_be_reachable` an address that our server can't send to is no BadAddress: the mail fails later.
    """
    session = db.control()
    belongs_to = category_of(template, category)
    if belongs_to.can_be_off:
        raise ValueError(f"Emails of {belongs_to.key} go to the users of tenants, who can switch them off.")
    given = {"template": template, "category": belongs_to.key, "dedupe_key": dedupe_key}
    given |= _recipient(to_address, to_name, must_be_reachable=must_be_reachable)
    mail, is_new = _insert(session, PlatformMail, given, _seal(values, None, dedupe_key))
    if is_new:
        _deliver_platform(mail)
    return mail


def opened_values(mail: MailColumns, tenant_id: UUID | None) -> dict[str, object]:
    """The values of a mail that is not sent yet. Empty when they are gone or their key is retired."""
    sealed = mail.values.get(SEALED)
    if not sealed:
        return {}
    try:
        opened = runtime().settings.keys.open(_PURPOSE, sealed, bound_to=_place(tenant_id, mail.dedupe_key))
    except SealBroken:
        return {}
    values: dict[str, object] = json.loads(opened.plaintext)
    return values


def _insert(session: Session, model: type[Row], given: Mapping[str, object], sealed: str) -> tuple[Row, bool]:
    row = {**given, "id": new_id(), "values": {SEALED: sealed}}
    statement = insert(model).values(row).on_conflict_do_nothing(index_elements=[model.dedupe_key]).returning(model)
    mail = session.scalars(statement).one_or_none()
    if mail is not None:
        return mail, True
    return session.scalars(select(model).where(model.dedupe_key == given["dedupe_key"])).one(), False


def _login_of(session: Session, address: str) -> UUID | None:
    return session.scalar(select(User.id).where(User.email_key == address.strip().casefold()))


def _recipient(address: str, name: str, *, must_be_reachable: bool = True) -> dict[str, str]:
    given = deliverable(address)
    if must_be_reachable:
        refuse_unreachable(given)
    return {"to_address": given, "to_name": clean_name(name)}


def _seal(values: Mapping[str, object], tenant_id: UUID | None, dedupe_key: str) -> str:
    # The values may hold a link that opens a login; a back-up of the table must not.
    plaintext = json.dumps(values, default=str).encode()
    return runtime().settings.keys.seal(_PURPOSE, plaintext, bound_to=_place(tenant_id, dedupe_key))


def _deliver(mail: Mail, leave_at: datetime | None = None) -> None:
    enqueue("mail.send", {"mail": str(mail.id)}, run_at=leave_at, dedupe_key=_job_key(mail))


def _deliver_platform(mail: PlatformMail) -> None:
    enqueue_platform("mail.send_platform", {"mail": str(mail.id)}, dedupe_key=_job_key(mail))


def _job_key(mail: MailColumns) -> str:
    return f"mail {mail.id} {mail.attempt}"


def _place(tenant_id: UUID | None, dedupe_key: str) -> str:
    return f"{tenant_id or 'platform'} {dedupe_key}"
