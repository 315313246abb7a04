"""What stands in the sidebars. An entry shows when its page exists and the person may see it."""

from dataclasses import dataclass

from flask import current_app, url_for
from flask_login import current_user


@dataclass(frozen=True)
class Entry:
    """`key` is what a page sets as `nav_active`; `permission` is the one its page asks for."""

    key: str
    label: str
    icon: str
    endpoint: str
    permission: str = ""
    short: str = ""

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def short_label(self) -> str:
        return self.short or self.label


TENANT = (
    Entry("home", "Home", "home", "home.index"),
    Entry("contacts", "Contacts", "users", "contacts.index"),
    Entry("companies", "Companies", "building", "companies.index"),
    Entry("imports", "Imports", "table-import", "imports.index"),
    Entry("exports", "Exports", "download", "exports.index"),
    Entry("trash", "Trash", "trash", "contacts.trash"),
)
SETTINGS = (
    Entry("profile", "Your profile", "user", "accounts.profile"),
    Entry("sessions", "Signed-in devices", "device-desktop", "accounts.sessions"),
    Entry("users", "Users", "user-shield", "accounts.users", "user:list"),
    Entry("audit", "Audit", "clipboard-list", "audit.index", "audit:read"),
)
CONSOLE = (
    Entry("tenants", "Tenants", "building-skyscraper", "console.tenants"),
    Entry("jobs", "Jobs", "activity", "console.jobs"),
    Entry("mails", "Mails", "mail", "console.mails"),
    Entry("addresses", "Addresses", "shield-x", "console.addresses"),
    Entry("audit", "Audit", "clipboard-list", "console.audit"),
)


def tenant_navigation() -> list[Entry]:
    return _visible(TENANT)


def settings_navigation() -> list[Entry]:
    return _visible(SETTINGS)


def console_navigation() -> list[Entry]:
    return _visible(CONSOLE)


def endpoint_exists(name: str) -> bool:
    return name in current_app.view_functions


def _visible(entries: tuple[Entry, ...]) -> list[Entry]:
    return [entry for entry in entries if endpoint_exists(entry.endpoint) and _may_see(entry)]


def _may_see(entry: Entry) -> bool:
    return not entry.permission or bool(current_user.can(entry.permission))
