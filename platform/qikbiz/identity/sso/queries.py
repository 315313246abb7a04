"""Reading the provider of the tenant entered, and whom its logins belong to."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select

from config.keys import SealBroken
from qikbiz.identity.accounts.realms import Realm
from qikbiz.identity.sso.models import ONLY, SsoIdentity, SsoProvider
from qikbiz.kernel.database import control_transaction, runtime
from tenants.context import Tenant
from tenants.control import Domain

PURPOSE = "sso-client-secret"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider with its secret open. `changed_at` tells one setting from the next."""

    issuer: str
    client_id: str
    secret: str
    label: str
    is_on: bool
    changed_at: datetime

    @property
    def edition(self) -> str:
        """Changes with everything that a round trip relies on."""
        return f"{self.issuer} {self.client_id} {self.changed_at.timestamp()}"


def provider_row(realm: Realm, *, for_change: bool = False) -> SsoProvider | None:
    row: SsoProvider | None = realm.work.get(
        SsoProvider, ONLY, with_for_update=for_change or None, populate_existing=for_change
    )
    return row


def hosts_of(tenant: Tenant) -> list[str]:
    """The addresses of a tenant at which its users sign in: its own, then its proved domains."""
    proved = select(Domain.host).where(Domain.tenant_id == tenant.id, Domain.verified_at.is_not(None))
    with control_transaction() as control:
        return [tenant.host, *control.scalars(proved.where(Domain.host != tenant.host).order_by(Domain.host))]


def provider_of(realm: Realm) -> Provider | None:
    """The provider, on or off, read in a transaction of its own: nothing is held while its servers are asked."""
    with realm.own_work():
        row = provider_row(realm)
        return _opened(realm, row) if row else None


def label_on_offer(realm: Realm) -> str:
    """What the button of the login says; empty where nobody can sign in so."""
    if realm.tenant is None:
        return ""
    row = provider_row(realm)
    return row.label if row is not None and row.is_on else ""


def has_identity(realm: Realm, user_id: UUID) -> bool:
    """Whether this person has come in by the provider set up now."""
    row = provider_row(realm)
    if row is None or not row.is_on:
        return False
    known = exists().where(SsoIdentity.user_id == user_id, SsoIdentity.issuer == row.issuer)
    return bool(realm.work.scalar(select(known)))


def count_identities(realm: Realm) -> int:
    row = provider_row(realm)
    wanted = select(func.count()).select_from(SsoIdentity).where(SsoIdentity.issuer == (row.issuer if row else ""))
    return int(realm.work.scalar(wanted) or 0)


def seal(realm: Realm, secret: str) -> str:
    """For the table: bound to the organisation, so that a row copied to another one opens nothing."""
    return runtime().settings.keys.seal(PURPOSE, secret.encode(), bound_to=_owner(realm))


def seal_anew(realm: Realm) -> int:
    """Seal a secret that lies under an older key with the active one. Returns how many were. Staff have none."""
    row = provider_row(realm, for_change=True) if realm.tenant else None
    if row is None:
        return 0
    try:
        opened = runtime().settings.keys.open(PURPOSE, row.sealed_secret, bound_to=_owner(realm))
    except SealBroken:
        logger.error("sso_secret_broken")
        return 0
    if opened.is_stale:
        row.sealed_secret = seal(realm, opened.plaintext.decode())
    return int(opened.is_stale)


def _opened(realm: Realm, row: SsoProvider) -> Provider:
    try:
        secret = runtime().settings.keys.open(PURPOSE, row.sealed_secret, bound_to=_owner(realm)).plaintext.decode()
    except SealBroken:
        # The provider will refuse the empty one, and the page of settings takes a new one.
        logger.error("sso_secret_broken")
        secret = ""
    return Provider(row.issuer, row.client_id, secret, row.label, row.is_on, row.changed_at)


def _owner(realm: Realm) -> str:
    return realm.tenant.id.hex if realm.tenant else "staff"
