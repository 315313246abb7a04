"""Reading logins. `work` is the session to read in; the tenant's or the control database's."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, case, exists, func, or_, select
from sqlalchemy.orm import Session, undefer

from qikbiz.identity.accounts.models import User, UserToken
from qikbiz.identity.accounts.realms import Account, Realm, same_address
from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Role


def account_named(work: Session, realm: Realm, email: str) -> Account | None:
    people = realm.people
    statement = select(people).options(undefer(people.password_hash)).where(people.email_key == same_address(email))
    found: Account | None = work.scalars(statement).one_or_none()
    return found


def account_for_change(work: Session, realm: Realm, account_id: UUID) -> Account:
    """The login, locked until the end of the transaction. Raises NotFound."""
    people = realm.people
    options = [undefer(people.password_hash)]
    found: Account | None = work.get(people, account_id, options=options, with_for_update=True)
    if found is None:
        raise NotFound
    return found


def has_password(work: Session, realm: Realm, account_id: UUID) -> bool:
    """False for a user who joined by single sign-on and never set one."""
    return work.scalar(select(realm.people.password_hash).where(realm.people.id == account_id)) is not None


def all_users() -> list[User]:
    """Every login of the tenant entered: those who can sign in first, then by name."""
    disabled_last = case((User.state == "disabled", 1), else_=0)
    return list(db.session.scalars(select(User).order_by(disabled_last, func.lower(User.name), User.id)))


def known_people() -> list[tuple[UUID, str]]:
    """Everybody who has or had a login here, for the filter of a log."""
    return [(row.id, row.name) for row in db.session.execute(select(User.id, User.name).order_by(User.name))]


def administrators() -> list[User]:
    """Those who can sign in as administrators now."""
    statement = select(User).where(is_administrator(), User.state == "active").order_by(User.id)
    return list(db.session.scalars(statement))


def lock_administrators() -> list[User]:
    """The active administrators, locked: two of them can't step down past each other."""
    statement = select(User).where(is_administrator(), User.state == "active").order_by(User.id)
    return list(db.session.scalars(statement.with_for_update()))


def is_administrator() -> ColumnElement[bool]:
    return User.roles.contains([Role.ADMINISTRATOR.value])


def has_users() -> bool:
    """Whether anybody has, or had, a login of the tenant entered that works. Who is only invited doesn't count."""
    login = or_(User.state == "active", User.password_hash.is_not(None), User.last_seen_at.is_not(None))
    return db.session.scalar(select(User.id).where(login).limit(1)) is not None


def ever_signed_in() -> bool:
    """Whether anybody has ever signed in to the tenant entered."""
    return db.session.scalar(select(User.id).where(User.last_seen_at.is_not(None)).limit(1)) is not None


def with_open_invitation() -> set[UUID]:
    """The users who have a link by which they can accept their invitation."""
    is_open = UserToken.used_at.is_(None), UserToken.expires_at > clock.now()
    statement = select(UserToken.person_id).where(UserToken.purpose == "invitation", *is_open)
    return set(db.session.scalars(statement))


def has_second_factor(realm: Realm, person_id: UUID) -> bool:
    """Whether a password alone is not enough. Recovery codes are no factor of their own."""
    table = realm.factors
    return bool(realm.work.scalar(select(exists().where(table.person_id == person_id, table.kind != "recovery"))))
