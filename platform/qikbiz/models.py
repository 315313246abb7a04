"""Every model, so that the metadata is whole: for migrations, the export's list of tables, and tests."""

from __future__ import annotations

from qikbiz.access_log import models as access
from qikbiz.account_closure import models as closing
from qikbiz.accounts import models as accounts
from qikbiz.announcements import models as announcements
from qikbiz.audit import models as audit
from qikbiz.companies import models as companies
from qikbiz.console import models as console
from qikbiz.contacts import models as contacts
from qikbiz.data_subject_requests import models as persons
from qikbiz.database import TenantBase
from qikbiz.exports import models as exports
from qikbiz.grants import models as grants
from qikbiz.imports import models as imports
from qikbiz.ip_reputation import models as abuse
from qikbiz.jobs import models as jobs
from qikbiz.mail import models as mail
from qikbiz.notifications import models as notifications
from qikbiz.roles import models as roles
from qikbiz.sign_in_policy import models as policy
from qikbiz.sso import models as sso
from qikbiz.tickets import models as tickets
from qikbiz.workspace import models as workspace
from tenants.control import ControlModel

ROOMS = (
    abuse,
    access,
    accounts,
    announcements,
    audit,
    closing,
    companies,
    console,
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
    tickets,
    workspace,
)
tenant_metadata = TenantBase.metadata
control_metadata = ControlModel.metadata
