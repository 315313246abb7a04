"""The features of the product, once and in order. What they add is derived from this list (`kernel/feature.py`)."""

from __future__ import annotations

from qikbiz.audit.feature import FEATURE as audit
from qikbiz.console.feature import FEATURE as console
from qikbiz.crm.companies.feature import FEATURE as companies
from qikbiz.crm.contacts.feature import FEATURE as contacts
from qikbiz.crm.home.feature import FEATURE as home
from qikbiz.crm.record_ownership.feature import FEATURE as record_ownership
from qikbiz.crm.records.feature import FEATURE as records
from qikbiz.crm.workspace.feature import FEATURE as workspace
from qikbiz.identity.account_pages.feature import FEATURE as account_pages
from qikbiz.identity.accounts.feature import FEATURE as accounts
from qikbiz.identity.login.feature import FEATURE as login
from qikbiz.identity.members.feature import FEATURE as members
from qikbiz.identity.mfa.feature import FEATURE as mfa
from qikbiz.identity.roles.feature import FEATURE as roles
from qikbiz.identity.sessions.feature import FEATURE as sessions
from qikbiz.identity.sign_in_policy.feature import FEATURE as sign_in_policy
from qikbiz.identity.sign_in_policy_pages.feature import FEATURE as sign_in_policy_pages
from qikbiz.identity.sso.feature import FEATURE as sso
from qikbiz.identity.staff.feature import FEATURE as staff
from qikbiz.jobs.feature import FEATURE as jobs
from qikbiz.kernel import feature
from qikbiz.messaging.announcements.feature import FEATURE as announcements
from qikbiz.messaging.mail.feature import FEATURE as mail
from qikbiz.messaging.notifications.feature import FEATURE as notifications
from qikbiz.security.access_log.feature import FEATURE as access_log
from qikbiz.security.ip_reputation.feature import FEATURE as ip_reputation
from qikbiz.site.feature import FEATURE as site
from qikbiz.transfer.exports.feature import FEATURE as exports
from qikbiz.transfer.imports.feature import FEATURE as imports
from qikbiz.trust.access_log_pages.feature import FEATURE as access_log_pages
from qikbiz.trust.account_closure.feature import FEATURE as account_closure
from qikbiz.trust.audit_pages.feature import FEATURE as audit_pages
from qikbiz.trust.billing.feature import FEATURE as billing
from qikbiz.trust.data_subject_requests.feature import FEATURE as data_subject_requests
from qikbiz.trust.domains.feature import FEATURE as domains
from qikbiz.trust.grants.feature import FEATURE as grants
from qikbiz.trust.privacy.feature import FEATURE as privacy
from qikbiz.trust.promises.feature import FEATURE as promises
from qikbiz.trust.tickets.feature import FEATURE as tickets

FEATURES = (
    site,
    privacy,
    promises,
    domains,
    mfa,
    accounts,
    sessions,
    login,
    account_pages,
    sign_in_policy,
    sign_in_policy_pages,
    sso,
    home,
    workspace,
    exports,
    records,
    record_ownership,
    contacts,
    companies,
    imports,
    audit,
    audit_pages,
    data_subject_requests,
    roles,
    members,
    mail,
    notifications,
    access_log,
    access_log_pages,
    ip_reputation,
    tickets,
    billing,
    account_closure,
    grants,
    jobs,
    staff,
    console,
    announcements,
)


def install() -> None:
    """Install every feature in this process. Done again, it changes nothing."""
    feature.install(FEATURES, program="qikbiz.app.second_process")
