"""Every model, so that the metadata is whole: for migrations, the export's list of tables, and tests."""

from __future__ import annotations

from qikbiz.audit import models as audit
from qikbiz.crm.companies import models as companies
from qikbiz.crm.contacts import models as contacts
from qikbiz.crm.workspace import models as workspace
from qikbiz.identity.accounts import models as accounts
from qikbiz.identity.roles import models as roles
from qikbiz.identity.sign_in_policy import models as policy
from qikbiz.identity.sso import models as sso
from qikbiz.identity.staff import models as staff
from qikbiz.jobs import models as jobs
from qikbiz.kernel.database import TenantBase
from qikbiz.messaging.announcements import models as announcements
from qikbiz.messaging.mail import models as mail
from qikbiz.messaging.notifications import models as notifications
from qikbiz.security.access_log import models as access
from qikbiz.security.ip_reputation import models as abuse
from qikbiz.transfer.exports import models as exports
from qikbiz.transfer.imports import models as imports
from qikbiz.trust.account_closure import models as closing
from qikbiz.trust.data_subject_requests import models as persons
from qikbiz.trust.grants import models as grants
from qikbiz.trust.tickets import models as tickets
from tenants.control import ControlModel

ROOMS = (
    abuse,
    access,
    accounts,
    announcements,
    audit,
    closing,
    companies,
    contacts,
    exports,
    grants,
    imports,
    jobs,
    mail,
    notifications,
    persons,
    policy,
    roles,
    sso,
    staff,
    tickets,
    workspace,
)
tenant_metadata = TenantBase.metadata
control_metadata = ControlModel.metadata
