"""Every route declares who may use it, and the request pipeline enforces it."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from qikbiz.identity.roles.builtin_roles import built_in, staff_rights
from qikbiz.identity.roles.effective_rights import granted_rights
from qikbiz.kernel.access import permission_of
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.permissions import Permission, Role, StaffRole, every_permission
from qikbiz.kernel.rights import WAYS_IN
from tenants.control import new_id

PUBLIC = {
    "accounts.login",
    "accounts.log_in",
    "accounts.forgot",
    "accounts.ask_for_password_link",
    "accounts.show_mailed_code",
    "accounts.mailed_code",
    "accounts.mail_code_again",
    "accounts.new_password",
    "accounts.choose_password",
    "accounts.invitation",
    "accounts.accept_invitation",
    "appeals.appeal",
    "appeals.look",
    "cookies.index",
    "tenant_contact.form",
    "tenant_contact.send",
    "mail_choices.ask_to_stop",
    "mail_choices.stop",
    "accounts.password_strength",
    "accounts.passkey_question",
    "accounts.log_in_by_passkey",
    "accounts.second_step",
    # Asked for instead of refusing the right password of a login that others try out.
    "accounts.show_second_factor",
    "accounts.second_step_question",
    "accounts.second_step_by_passkey",
    "accounts.next_password",
    "accounts.choose_next_password",
    "accounts.set_up",
    "accounts.set_up_question",
    "accounts.set_up_passkey",
    "accounts.set_up_app",
    "accounts.finish_app",
    # Opens a support session: by a one-time token of the console, and only by its button.
    "grants.come_in",
    "grants.door",
    "grants.leave",
    "grants.start",
    "policy.ask_for_code",
    "policy.use_code",
    "sso.back",
    "sso.log_in",
    # The logo, which the sign-in page shows.
    "workspace.logo",
}
# Pages that answer otherwise than by themselves, for a user who may open them and has just signed in.
OTHER_OUTCOMES = {
    # Settings open at the first page that the role may see.
    "workspace.index": [(302, "/settings/general"), (302, "/profile")],
    # Acme has no identity provider, and did not ask to be closed.
    "sso.confirm": [(404, "")],
    "sso.try_it": [(404, "")],
    "closing.invoice": [(404, "")],
} | {
    key: [(302, "/closing/")]
    for key in ("closing.cost", "closing.export", "closing.check", "closing.end", "closing.standing", "closing.cancel")
}


def _rules(app):
    return [
        rule
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.endswith("_for_test") and "for_test" not in rule.endpoint
    ]


def _is_private_page(app, rule):
    """A page with a plain address that not everyone may see."""
    permission = permission_of(app.view_functions[rule.endpoint])
    return "GET" in rule.methods and not rule.arguments and permission is not Permission.PUBLIC


def test_every_route_declares_a_permission(app):
    undeclared = [rule.endpoint for rule in _rules(app) if permission_of(app.view_functions[rule.endpoint]) is None]
    assert undeclared == []


def test_every_route_belongs_to_a_surface(app):
    assert {rule.subdomain for rule in _rules(app)} <= {"tenant", "console", "site", "unknown"}


def test_only_these_pages_of_a_tenant_are_open_to_everyone(app):
    public = {
        rule.endpoint
        for rule in _rules(app)
        if rule.subdomain == "tenant" and permission_of(app.view_functions[rule.endpoint]) is Permission.PUBLIC
    }
    assert {name for name in public if not name.startswith(("health_", "well_known"))} == PUBLIC


def test_nothing_changes_by_a_get(app):
    """A view that takes GET takes nothing else, so no act hides behind a link."""
    reading = {"GET", "HEAD"}
    mixed = [rule.endpoint for rule in _rules(app) if rule.methods & reading and rule.methods - reading - {"OPTIONS"}]
    assert mixed == []


@pytest.mark.parametrize(("name", "role"), [("alice", Role.ADMINISTRATOR), ("ben", Role.MEMBER), ("bob", Role.READER)])
def test_a_page_opens_for_exactly_the_roles_that_have_its_permission(app, client_for, name, role):
    browser = client_for(name)
    wrong = []
    for rule in _rules(app):
        if rule.subdomain == "tenant" and _is_private_page(app, rule):
            answer = browser.get(rule.rule, check=False)
            outcome = answer.status_code, urlsplit(answer.location or "").path
            if outcome not in _right_outcomes(app, rule, role):
                wrong.append((rule.endpoint, *outcome))
    assert wrong == []


def allows(role, permission):
    """Whether a built-in role, of a tenant or of staff, has the permission."""
    return (built_in().get(role) or staff_rights(role)).can(permission)


def _right_outcomes(app, rule, role):
    if not allows(role, permission_of(app.view_functions[rule.endpoint])):
        return [(403, "")]
    return OTHER_OUTCOMES.get(rule.endpoint, [(200, "")])


def test_nobody_logged_in_is_sent_to_the_login_from_every_page(app, browser_at):
    for surface, host in (("tenant", "acme.localhost"), ("console", "console.localhost")):
        for rule in _rules(app):
            permission = permission_of(app.view_functions[rule.endpoint])
            if (
                rule.subdomain != surface
                or "GET" not in rule.methods
                or rule.arguments
                or permission is Permission.PUBLIC
            ):
                continue
            answer = browser_at(host).get(rule.rule, check=False)
            assert answer.status_code == 303, rule.rule
            assert answer.location.startswith("/login"), rule.rule


def test_no_role_of_staff_has_a_permission_of_tenants_rows():
    of_rows = {
        p for p in every_permission() if p.split(":")[0] in ("contact", "company", "import", "user", "export", "audit")
    }
    for role in StaffRole:
        assert not {permission for permission in of_rows if allows(role, permission)}


def test_an_unknown_role_may_do_nothing(app, world):
    with app.app_context(), tenant_transaction(world.acme.tenant) as work:
        of_tenant = granted_rights(work, new_id(), ["owner"])
    for rights in (of_tenant, staff_rights("owner")):
        # What is left asks for no role.
        assert {permission for permission in every_permission() if rights.can(permission)} == WAYS_IN
