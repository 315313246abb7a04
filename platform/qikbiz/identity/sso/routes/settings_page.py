"""The administrators' page about the organisation's identity provider."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from qikbiz.identity.accounts import throttles
from qikbiz.identity.accounts.realms import Realm, current_realm
from qikbiz.identity.sign_in_policy.queries import policy_of
from qikbiz.identity.sso import actions
from qikbiz.identity.sso.auth_requests import BACK
from qikbiz.identity.sso.blueprint import sso
from qikbiz.identity.sso.failures import ProviderAway, SsoRefused
from qikbiz.identity.sso.forms import PersonForm, ProviderForm
from qikbiz.identity.sso.openid import discover
from qikbiz.identity.sso.provider_client import new_deadline
from qikbiz.identity.sso.queries import count_identities, hosts_of, provider_of, provider_row
from qikbiz.kernel.access import access
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast
from tenants.context import current_tenant


@sso.get("/settings/single-sign-on")
@access(Permission.POLICY_SET)
def index() -> ResponseReturnValue:
    return _page(_filled(current_realm()))


@sso.post("/settings/single-sign-on")
@access(Permission.POLICY_SET, fresh=True)
def save() -> ResponseReturnValue:
    form, realm = ProviderForm(), current_realm()
    if not form.validate_on_submit() or not _is_complete(realm, form) or not _answers(realm, form):
        return _page(form), 422
    given = {name: form[name].data or "" for name in ("issuer", "client_id", "label")}
    try:
        actions.set_provider(realm, **given, secret=form.client_secret.data or "")
    except SsoRefused as refused:
        form.issuer.errors = [refused.text]
        return _page(form), refused.status
    show_toast("Provider saved. Test it before you turn it on.")
    return redirect(url_for(".index"), 303)


@sso.post("/settings/single-sign-on/switch")
@access(Permission.POLICY_SET, fresh=True)
def switch_on() -> ResponseReturnValue:
    actions.switch(current_realm(), is_on=True)
    show_toast("Single sign-on is on.")
    return redirect(url_for(".index"), 303)


@sso.post("/settings/single-sign-on/switch-off")
@access(Permission.POLICY_SET, fresh=True)
def switch_off() -> ResponseReturnValue:
    try:
        actions.switch(current_realm(), is_on=False)
    except SsoRefused as refused:
        return _refused(refused)
    show_toast("Single sign-on is off. Users stay signed in.")
    return redirect(url_for(".index"), 303)


@sso.post("/settings/single-sign-on/removal")
@access(Permission.POLICY_SET, fresh=True)
def remove() -> ResponseReturnValue:
    try:
        actions.remove_provider(current_realm())
    except SsoRefused as refused:
        return _refused(refused)
    show_toast("Provider removed.")
    return redirect(url_for(".index"), 303)


@sso.post("/settings/single-sign-on/disconnection")
@access(Permission.POLICY_SET, fresh=True)
def disconnect() -> ResponseReturnValue:
    form, realm = PersonForm(), current_realm()
    if form.validate_on_submit():
        try:
            account = actions.disconnect(realm, form.email.data or "")
        except NotFound:
            form.email.errors = ["No user with this email address has used single sign-on."]
        else:
            show_toast(
                f"{account.name} is disconnected. The next sign-in with the same email address connects them again."
            )
            return redirect(url_for(".index"), 303)
    return _page(_filled(realm), form), 422


def _refused(refused: SsoRefused) -> ResponseReturnValue:
    return _page(_filled(current_realm()), problem=refused.text), refused.status


def _filled(realm: Realm) -> ProviderForm:
    row = provider_row(realm)
    return ProviderForm(issuer=row.issuer, client_id=row.client_id, label=row.label) if row else ProviderForm()


def _is_complete(realm: Realm, form: ProviderForm) -> bool:
    if form.client_secret.data or provider_of(realm) is not None:
        return True
    form.client_secret.errors = ["Enter the client secret."]
    return False


def _answers(realm: Realm, form: ProviderForm) -> bool:
    """Whether a provider really is at that address, asked before anything of ours is locked or written."""
    throttles.ask_provider(realm)
    try:
        discover(form.issuer.data or "", new_deadline())
    except ProviderAway as away:
        form.issuer.errors = [away.text]
        return False
    return True


def _page(form: ProviderForm, person: PersonForm | None = None, problem: str = "") -> str:
    realm = current_realm()
    row = provider_row(realm)
    form.client_secret.flags.required = row is None
    return render_template(
        "sso/index.html",
        form=form,
        person=person,
        problem=problem,
        is_only_way=policy_of(realm).sso_only,
        row=row,
        people=count_identities(realm),
        addresses=[runtime().settings.origin(host) + BACK for host in hosts_of(current_tenant())],
    )
