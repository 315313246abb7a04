"""Making the application: its rooms, one line each. Nothing connects here."""

from __future__ import annotations

from config.settings import Settings
from qikbiz.app import error_handlers, features, request_pipeline, template_globals
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.console import routes as _console_pages
from qikbiz.console.blueprint import console
from qikbiz.console.logins import staff
from qikbiz.crm.companies.routes import companies
from qikbiz.crm.contacts.routes import contacts
from qikbiz.crm.home.routes import home
from qikbiz.crm.records.routes import records
from qikbiz.crm.workspace.routes import workspace
from qikbiz.identity.accounts import current
from qikbiz.identity.accounts.routes import accounts
from qikbiz.identity.members.routes import members
from qikbiz.identity.mfa.blueprint import factors
from qikbiz.identity.mfa.demo_codes import demo_codes
from qikbiz.identity.roles.routes import roles
from qikbiz.identity.sign_in_policy.routes import policy
from qikbiz.identity.sso.routes import sso
from qikbiz.kernel.database import connect_database
from qikbiz.messaging.announcements.routes import announcements
from qikbiz.messaging.mail.choice_pages import mail_choices
from qikbiz.messaging.mail.routes import mailbox
from qikbiz.messaging.notifications.routes import notifications
from qikbiz.site import well_known
from qikbiz.site.routes import site
from qikbiz.site.styleguide import styleguide
from qikbiz.transfer.exports.routes import exports
from qikbiz.transfer.imports.routes import imports
from qikbiz.trust.access_log_pages.routes import access
from qikbiz.trust.account_closure.console_routes import closings
from qikbiz.trust.account_closure.routes import closing
from qikbiz.trust.account_closure.site_routes import certificates
from qikbiz.trust.audit_pages.routes import audit
from qikbiz.trust.data_subject_requests.routes import persons, receipts
from qikbiz.trust.domains import routes as domains
from qikbiz.trust.grants.routes import grants
from qikbiz.trust.privacy import cookie_page
from qikbiz.trust.privacy.routes import privacy
from qikbiz.trust.promises.routes import promises, public_promises
from qikbiz.trust.tickets.help_pages import help_pages
from qikbiz.trust.tickets.public_pages import appeals, contact
from qikbiz.web import compression, cookies, csrf, flash, health, metrics, require_tls, responses
from tenants.runtime import Runtime


def create_app(settings: Settings, *, process: str = "web") -> QikBiz:
    """The Flask application for one process. Serves every host: the surface decides which routes exist."""
    features.install()
    app = QikBiz("qikbiz.web", static_folder=None)
    app.config.update(
        SECRET_KEY=None,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=2_000,
        PROPAGATE_EXCEPTIONS=False,
        TEMPLATES_AUTO_RELOAD=False,
    )
    connect_database(app, Runtime(settings, process=process))
    # After a request they take their turns backwards: first what pages leave to say, then cookies, headers and the log,
    # and compression when the body is whole.
    first = (compression, request_pipeline, responses, metrics, error_handlers)
    for part in (*first, cookies, flash, csrf, current, health, template_globals):
        part.register(app)
    open_rooms(app)
    # Last, and so outermost: before the files of the pages too.
    require_tls.register(app)
    return app


def open_rooms(app: QikBiz) -> None:
    """One line for each room."""
    assert _console_pages.__all__  # importing them declares them
    app.register_blueprint(site, subdomain="site")
    app.register_blueprint(privacy, subdomain="site")
    app.register_blueprint(public_promises, subdomain="site")
    cookie_page.register(app)
    well_known.register(app)
    domains.register(app)
    app.register_blueprint(factors)
    app.register_blueprint(accounts, subdomain="tenant")
    app.register_blueprint(policy, subdomain="tenant")
    app.register_blueprint(sso, subdomain="tenant")
    app.register_blueprint(home, subdomain="tenant")
    app.register_blueprint(workspace, subdomain="tenant")
    app.register_blueprint(exports, subdomain="tenant")
    app.register_blueprint(records, subdomain="tenant")
    app.register_blueprint(contacts, subdomain="tenant")
    app.register_blueprint(companies, subdomain="tenant")
    app.register_blueprint(imports, subdomain="tenant")
    app.register_blueprint(audit, subdomain="tenant")
    app.register_blueprint(persons, subdomain="tenant")
    app.register_blueprint(receipts, subdomain="site")
    app.register_blueprint(roles, subdomain="tenant")
    app.register_blueprint(members, subdomain="tenant")
    app.register_blueprint(mail_choices, subdomain="tenant")
    app.register_blueprint(notifications, subdomain="tenant")
    app.register_blueprint(access, subdomain="tenant")
    app.register_blueprint(contact, subdomain="site")
    app.register_blueprint(contact, subdomain="tenant", name="tenant_contact")
    app.register_blueprint(appeals, subdomain="tenant")
    app.register_blueprint(appeals, subdomain="console", name="staff_appeals")
    app.register_blueprint(help_pages, subdomain="tenant")
    app.register_blueprint(promises, subdomain="tenant")
    app.register_blueprint(closing, subdomain="tenant")
    app.register_blueprint(certificates, subdomain="site")
    app.register_blueprint(grants, subdomain="tenant")
    app.register_blueprint(staff, subdomain="console")
    if app.extensions["qikbiz"].settings.environment != "production":
        app.register_blueprint(mailbox, subdomain="site")
        app.register_blueprint(demo_codes, subdomain="site")
        app.register_blueprint(styleguide, subdomain="site")
    app.register_blueprint(closings, subdomain="console")
    app.register_blueprint(console, subdomain="console")
    app.register_blueprint(announcements, subdomain="console")
