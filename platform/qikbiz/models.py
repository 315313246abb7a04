"""Every model, so that the metadata is whole: for migrations, the export's list of tables, and tests."""

from __future__ import annotations

from qikbiz.abuse import models as abuse
from qikbiz.access import models as access
from qikbiz.accounts import models as accounts
from qikbiz.announcements import models as announcements
from qikbiz.audit import models as audit
from qikbiz.closing import models as closing
from qikbiz.companies import models as companies
from qikbiz.console import models as console
from qikbiz.contacts import models as contacts
from qikbiz.database import TenantBase
from qikbiz.exports import models as exports
from qikbiz.grants import models as grants
from qikbiz.imports import models as imports
from qikbiz.jobs import models as jobs
from qikbiz.mail import models as mail
from qikbiz.notifications import models as notifications
from qikbiz.persons import models as persons
from qikbiz.policy import models as policy
from qikbiz.roles import models as roles
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
