"""Who can reach an organisation's data at this moment, each with its end: users, staff, instructions, commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.crm.schema.registry import BY_SINGULAR
from qikbiz.identity.accounts.models import User, UserToken
from qikbiz.identity.roles.effective_rights import names_of_roles, rights_of_roles
from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.permissions import Action
from qikbiz.kernel.rights import Rights, Scope, union
from qikbiz.trust.grants.emails import what_may_be_done
from qikbiz.trust.grants.models import Grant, Visit
from qikbiz.trust.grants.queries import is_in_force, is_opening, is_standing, names_of
from qikbiz.trust.grants.support_sessions import IDLE

# More people than this stand on the page of the users.
MOST_USERS = 100
MOST_COMMANDS = 30
COMMANDS_SINCE = timedelta(days=30)
# How a command of an operator is named in both audits (`provisioning.instructions.who`, `provisioning.application`).
COMMAND_LINE = "command line"
_REACH = {Scope.ALL: "all", Scope.TEAM: "their teams'", Scope.OWN: "their own", Scope.NONE: "no"}


@dataclass(frozen=True, slots=True)
class UserLine:
    """A user, or an invited one. `ends_at` is when the invitation ends; None: until deactivated."""

    id: UUID
    name: str
    roles: str
    reach: str
    state: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class GrantLine:
    """`inside` are the names of staff who are inside by it now."""

    grant: Grant
    who: str
    what: str
    inside: Sequence[str]


@dataclass(frozen=True, slots=True)
class Overview:
    """`users` are the first of `user_count`. `instructions` are confirmed, `waiting` not; `running` are commands."""

    user_count: int
    users: Sequence[UserLine]
    in_force: Sequence[GrantLine]
    instructions: Sequence[GrantLine]
    waiting: Sequence[GrantLine]
    commands: Sequence[PlatformAuditEvent]
    running: Sequence[GrantLine]


def overview(control: Session, tenant_id: UUID) -> Overview:
    """Of the tenant entered, asked of both databases."""
    grants = [grant for grant in _grants(control, tenant_id) if is_standing(grant)]
    now = [_line(control, grant) for grant in grants if is_in_force(grant) or is_opening(grant)]
    confirmed = [_line(control, grant) for grant in grants if grant.kind == "instruction" and grant.confirmed_at]
    return Overview(
        user_count=db.session.scalar(select(func.count()).where(User.state != "disabled")) or 0,
        users=_users(),
        in_force=[line for line in now if line.grant.kind == "grant"],
        instructions=[line for line in confirmed if not _is_command(line.grant)],
        waiting=[_line(control, grant) for grant in grants if grant.state == "waiting"],
        commands=_commands(control, tenant_id),
        running=[line for line in confirmed if _is_command(line.grant)],
    )


def reach_words(rights: Rights) -> str:
    """`Sees and exports all contacts and companies, changes their own contacts`."""
    said: dict[str, list[str]] = {}
    for verb, action in (("sees", Action.SEE), ("changes", Action.CHANGE), ("exports", Action.EXPORT)):
        scopes = {kind: rights.scope(kind, action) for kind in BY_SINGULAR}
        if any(scopes.values()):
            said.setdefault(_of_kinds(scopes), []).append(verb)
    words = ", ".join(f"{_listed(verbs)} {what}" for what, verbs in said.items()) or "no access to records"
    return words[:1].upper() + words[1:]


def _listed(verbs: list[str]) -> str:
    return " and ".join([", ".join(verbs[:-1]), verbs[-1]] if verbs[:-1] else verbs)


def _of_kinds(scopes: dict[str, Scope]) -> str:
    if len(set(scopes.values())) == 1:
        return f"{_REACH[next(iter(scopes.values()))]} {_listed([BY_SINGULAR[kind].plural for kind in scopes])}"
    return _listed([f"{_REACH[scope]} {BY_SINGULAR[kind].plural}" for kind, scope in scopes.items() if scope])


def _users() -> list[UserLine]:
    found = db.session.scalars(
        select(User).where(User.state != "disabled").order_by(User.state, func.lower(User.name)).limit(MOST_USERS)
    ).all()
    keys = {key for user in found for key in user.roles}
    names, rights = names_of_roles(db.session(), keys), rights_of_roles(db.session(), keys)
    ends = _invitations()
    return [
        UserLine(
            user.id,
            user.name,
            ", ".join(names[key] for key in user.roles if key in names),
            reach_words(union(rights[key] for key in user.roles if key in rights)),
            user.state,
            ends.get(user.id),
        )
        for user in found
    ]


def _invitations() -> dict[UUID, datetime]:
    """{who is invited: when the link ends}."""
    is_open = UserToken.used_at.is_(None), UserToken.expires_at > clock.now()
    statement = select(UserToken.person_id, UserToken.expires_at).where(UserToken.purpose == "invitation", *is_open)
    return {row.person_id: row.expires_at for row in db.session.execute(statement)}


def _grants(control: Session, tenant_id: UUID) -> Sequence[Grant]:
    statement = select(Grant).where(Grant.tenant_id == tenant_id, Grant.state.not_in(("asked", "ended")))
    return control.scalars(statement.order_by(Grant.ends_at)).all()


def _line(control: Session, grant: Grant) -> GrantLine:
    here = select(Visit.staff_name).where(
        Visit.grant_id == grant.id, Visit.left_at.is_(None), Visit.last_seen_at > clock.now() - IDLE
    )
    inside = list(control.scalars(here.distinct())) if grant.kind == "grant" else []
    return GrantLine(grant, names_of(grant), what_may_be_done(grant), inside)


def _is_command(grant: Grant) -> bool:
    """Recorded by a command with words alone, which ends it: an instruction at the console has a person behind it."""
    return grant.confirmed_how == "unused" and COMMAND_LINE in grant.given_by_name


def _commands(control: Session, tenant_id: UUID) -> Sequence[PlatformAuditEvent]:
    since = clock.now() - COMMANDS_SINCE
    about = PlatformAuditEvent.tenant_id == tenant_id, PlatformAuditEvent.at > since
    by_command = PlatformAuditEvent.actor_name.contains(COMMAND_LINE, autoescape=True)
    statement = select(PlatformAuditEvent).where(*about, by_command).order_by(PlatformAuditEvent.id.desc())
    return control.scalars(statement.limit(MOST_COMMANDS)).all()
