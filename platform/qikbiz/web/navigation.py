"""What stands in the sidebars. An entry shows when its page exists and the person may see it."""

from dataclasses import dataclass
from functools import cache
from itertools import groupby

from flask import current_app, url_for
from flask_login import current_user

from qikbiz.kernel.permissions import Permission


@cache
def path_of(endpoint: str) -> str:
    """The address of a page that takes no values. It is the same at every request, and a page links to some thirty."""
    return url_for(endpoint)


@dataclass(frozen=True)
class Entry:
    """`key` is what a page sets as `nav_active`; `permission` is the one its page asks for."""

    key: str
    label: str
    icon: str
    endpoint: str
    permission: str = ""
    short: str = ""
    group: str = ""

    @property
    def url(self) -> str:
        return path_of(self.endpoint)

    @property
    def short_label(self) -> str:
        return self.short or self.label


TENANT = (
    Entry("home", "Home", "home", "home.index"),
    Entry("contacts", "Contacts", "users", "contacts.index", "contact:see"),
    Entry("companies", "Companies", "building", "companies.index", "company:see"),
    Entry("imports", "Imports", "table-import", "imports.index", "import:see"),
    Entry("exports", "Exports", "download", "exports.index", "export:ask"),
    Entry("trash", "Trash", "trash", "contacts.trash", "contact:delete"),
)
YOU, PEOPLE, PRIVACY, ORGANISATION, DANGER = "You", "People", "Privacy", "Organisation", "Danger zone"
# One subject a page, in the order of the list at the left of every page of settings; entries of a group stand together.
SETTINGS = (
    Entry("general", "General", "settings", "workspace.general", "policy:set", group=ORGANISATION),
    Entry("domains", "Domains", "world", "domains.index", "policy:set", group=ORGANISATION),
    Entry("profile", "Your profile", "user", "accounts.profile", group=YOU),
    Entry("mail_choices", "Notifications", "mail", "mail_choices.index", group=YOU),
    Entry("security", "Sign-in & security", "fingerprint", "accounts.security", group=YOU),
    Entry("sessions", "Signed-in devices", "device-desktop", "accounts.sessions", group=YOU),
    Entry("help", "Help", "help", "help.index", group=YOU),
    Entry("users", "Users", "user-shield", "accounts.users", "user:manage", group=PEOPLE),
    Entry("roles", "Roles", "key", "roles.index", "role:manage", group=PEOPLE),
    Entry("teams", "Teams", "users", "roles.all_teams", "team:manage", group=PEOPLE),
    Entry("policy", "Sign-in policy", "shield-lock", "policy.index", "policy:set", group=PEOPLE),
    Entry("sso", "Single sign-on", "link", "sso.index", "policy:set", group=PEOPLE),
    Entry("grants", "Access by QikBiz", "login-2", "grants.index", "grant:give", group=PRIVACY),
    Entry("access", "Access log", "activity", "access.index", "access-log:see", group=PRIVACY),
    Entry("blocks", "Blocked addresses", "shield-x", "access.blocked", "access-log:see", group=PRIVACY),
    Entry("audit", "Audit", "clipboard-list", "audit.index", "audit:see", group=PRIVACY),
    Entry("cookies", "Cookies", "cookie", "cookies.index", group=PRIVACY),
    Entry("erasures", "Erased people", "user-x", "persons.erasures", "person:answer", group=PRIVACY),
    Entry("promises", "Promises", "shield-check", "promises.index", group=PRIVACY),
    Entry("closing", "Close your account", "door-exit", "closing.index", "closing:ask", group=DANGER),
)
CONSOLE = (
    Entry("work", "Work list", "inbox", "console.work", "ticket:answer", short="Work"),
    Entry("tenants", "Tenants", "building-skyscraper", "console.tenants", "tenant:see"),
    Entry("jobs", "Jobs", "activity", "console.jobs", "platform-job:see"),
    Entry("mails", "Mails", "mail", "console.mails", "platform-mail:see"),
    Entry("closings", "Closings", "door-exit", "closings.index", "closing:handle"),
    Entry("announcements", "Announcements", "send", "announcements.index", "announcement:send"),
    Entry("addresses", "Addresses", "shield-x", "console.addresses", "abuse:see"),
    Entry("statement", "Statement", "shield-check", "console.statement", "statement:announce"),
    Entry("audit", "Audit", "clipboard-list", "console.audit", "platform-audit:see"),
)


def tenant_navigation() -> list[Entry]:
    return _visible(TENANT)


def settings_navigation() -> list[Entry]:
    return _visible(SETTINGS)


def settings_groups() -> list[tuple[str, list[Entry]]]:
    """The list at the left of settings: (heading, its entries), without what the person may not see."""
    return [(name, list(entries)) for name, entries in groupby(_visible(SETTINGS), key=lambda entry: entry.group)]


def console_navigation() -> list[Entry]:
    return _visible(CONSOLE)


def endpoint_exists(name: str) -> bool:
    return name in current_app.view_functions


def _visible(entries: tuple[Entry, ...]) -> list[Entry]:
    return [entry for entry in entries if endpoint_exists(entry.endpoint) and _may_see(entry)]


def _may_see(entry: Entry) -> bool:
    return not entry.permission or bool(current_user.can(Permission(entry.permission)))
