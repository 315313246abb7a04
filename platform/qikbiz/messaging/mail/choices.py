"""What people decided about their mails: read, changed on the page, and changed by the one click in a mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from qikbiz.audit.actions import record
from qikbiz.identity.accounts.models import User
from qikbiz.kernel import clock
from qikbiz.kernel.actors import Actor, acting_as, current_actor
from qikbiz.kernel.database import require_tenant_session
from qikbiz.kernel.errors import Failure
from qikbiz.messaging.mail.categories import CHOOSABLE, DIGEST, Choice, MailCategory, category_named, daily_kinds
from qikbiz.messaging.mail.models import MailChoice
from qikbiz.messaging.mail.unsubscribing import BrokenLink


def choices_of(user_id: UUID) -> dict[str, Choice]:
    """A user's choice for every category that has one; what was never decided is on."""
    session = require_tenant_session()
    rows = session.execute(select(MailChoice.category, MailChoice.choice).where(MailChoice.user_id == user_id))
    decided = {row.category: row.choice for row in rows}
    return {one.key: _known(one, decided.get(one.key)) for one in CHOOSABLE}


def choices_of_several(user_ids: Iterable[UUID], category: MailCategory) -> dict[UUID, Choice]:
    """The choice of each of these people for one category."""
    wanted = list(user_ids)
    query = select(MailChoice.user_id, MailChoice.choice).where(
        MailChoice.user_id.in_(wanted), MailChoice.category == category.key
    )
    decided = {row.user_id: row.choice for row in require_tenant_session().execute(query)}
    return {user_id: _known(category, decided.get(user_id)) for user_id in wanted}


def wants(user_id: UUID, category: MailCategory) -> bool:
    """Whether a mail of this category may go to this person now."""
    if not category.can_be_off:
        return True
    choices = choices_of(user_id)
    if category.key == DIGEST:
        return any(daily_kinds(choices))
    return choices[category.key] == "on"


def change_choices(user: User, wanted: Mapping[str, str]) -> dict[str, list[str]]:
    """Save a user's own decisions; returns what changed as {category: [old, new]}. Raises Failure for rubbish."""
    changes: dict[str, list[str]] = {}
    before = choices_of(user.id)
    for key, choice in wanted.items():
        if key not in before or choice not in category_named(key).choices:
            raise Failure(f"This isn't a valid option: {key[:60]} {choice[:20]}.")
        if before[key] != choice:
            changes[key] = [before[key], choice]
    _keep(user, changes, "page")
    return changes


def unsubscribe(user_id: UUID, key: str) -> bool:
    """Stop one category for a user who clicked in a mail of it; False when it was off already. Raises BrokenLink."""
    session = require_tenant_session()
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        raise BrokenLink
    before = choices_of(user_id)
    changes: dict[str, list[str]] = {
        one: [before[one], stopped] for one, stopped in _stopped(key, before).items() if before[one] != stopped
    }
    # Who holds the link has the user's mail: the act is the user's, without a login.
    with acting_as(Actor("user", user.id, user.name, request_id=current_actor().request_id)):
        _keep(user, changes, "mail")
    return bool(changes)


def is_stopped(user_id: UUID, key: str) -> bool:
    """Whether the one click of a mail of this category would change nothing."""
    before = choices_of(user_id)
    return all(before[one] == stopped for one, stopped in _stopped(key, before).items())


def _stopped(key: str, before: Mapping[str, Choice]) -> dict[str, Choice]:
    """What stopping the mails of a category means. Notifications stay in the app: only the mail was complained of."""
    if key == DIGEST:
        return dict.fromkeys(daily_kinds(dict(before)), "app")
    if not category_named(key).is_notification:
        return {key: "off"}
    return {} if before[key] in ("app", "off") else {key: "app"}


def _keep(user: User, changes: Mapping[str, list[str]], how: str) -> None:
    session = require_tenant_session()
    for key, (_, choice) in changes.items():
        _upsert(session, {"user_id": user.id, "category": key, "choice": choice, "how": how})
    if changes:
        details = {"changes": dict(changes), "how": "one click in an email" if how == "mail" else "settings"}
        record("mail_choice.changed", record_type="user", record_id=user.id, subject=user.email, details=details)


def _upsert(session: Session, row: dict[str, object]) -> None:
    row["changed_at"] = clock.now()
    new = insert(MailChoice).values(row)
    given = {name: new.excluded[name] for name in ("choice", "how", "changed_at")}
    session.execute(new.on_conflict_do_update(index_elements=["user_id", "category"], set_=given))


def _known(category: MailCategory, choice: str | None) -> Choice:
    """A choice that this program does not know is a wish for less, and never turns mails on."""
    if choice is None:
        return "on"
    return next((one for one in category.choices if one == choice), category.choices[-1])
