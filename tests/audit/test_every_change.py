"""Each change leaves an entry in the audit: each action is done once, and no route is left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.audit.models import AuditEvent
from qikbiz.kernel.database import tenant_transaction
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.imports.models import Import
from tests.fixtures.world import Organisation
from tests.imports.test_wizard import choices_on, upload
from workers.run_job import perform

pytestmark = pytest.mark.promise("P6")
SOURCES = Path(__file__).parents[2] / "platform" / "qikbiz"
FILE = b"First name,E-mail\nZoe,zoe@example.com\nBad,not an address\n"

# Routes that leave nothing, each with the reason.
NOTHING = {
    "accounts.confirm_password": "Gives the password again; a wrong one is in the audit.",
    "accounts.confirm_by_passkey": "Gives the passkey again; it is in the access log.",
    "accounts.confirm_question": "Asks the browser for a passkey; nothing changes.",
    "accounts.passkey_question": "Asks the browser for a passkey; nothing changes.",
    "accounts.second_step_question": "Asks the browser for a passkey; nothing changes.",
    "accounts.set_up_question": "Asks the browser for a new passkey; nothing changes.",
    "accounts.new_passkey_question": "Asks the browser for a new passkey; nothing changes.",
    "accounts.password_strength": "Judges a text; nothing changes.",
    "appeals.appeal": "A question to QikBiz, kept in its thread.",
    "help.ask": "A question to QikBiz, kept in its thread.",
    "help.write": "A question to QikBiz, kept in its thread.",
    "members.look_at_table": "Shows what would be sent; nothing changes.",
    "tenant_contact.send": "A question to QikBiz, kept in its thread.",
    "companies.columns": "Which columns a list shows is one's own view.",
    "contacts.columns": "Which columns a list shows is one's own view.",
    "companies.settle": "Shows both versions again; what is saved goes the way of saving.",
    "contacts.settle": "Shows both versions again; what is saved goes the way of saving.",
    "imports.choose_cells": "Prepares the file; the check that follows is in the audit.",
    "imports.choose_columns": "Prepares the file; the check that follows is in the audit.",
    "imports.choose_shape": "Prepares the file; the check that follows is in the audit.",
    "imports.check": "Asks for the check; its end is in the audit.",
    "notifications.read": "What somebody has read of their own messages.",
    "notifications.read_all": "What somebody has read of their own messages.",
    "policy.preview": "Shows what a change would do; nothing changes.",
}
# Routes whose own tests do them; here it is seen that the entry that they leave is written at all.
ELSEWHERE = {
    "access.allow_address": "address.allowed",
    "access.end_allowance": "address.allowance_ended",
    "accounts.accept_invitation": "user.joined",
    "accounts.choose_next_password": "password.changed",
    "accounts.choose_password": "password.changed",
    "members.end_user_session": "session.ended",
    "members.end_user_sessions": "session.all_ended",
    "members.reset_user_factors": "factor.",
    "accounts.log_in_by_passkey": "login.opened",
    "accounts.second_step_by_passkey": "login.opened",
    "accounts.show_second_factor": "login.opened",
    "accounts.show_mailed_code": "login.opened",
    "accounts.mail_code_again": "login.code_mailed",
    # The job writes it, once it has found out whose the address is.
    "accounts.ask_for_password_link": "password.link_sent",
    "accounts.add_app": "factor.",
    "accounts.finish_app": "factor.",
    "accounts.remove_app": "factor.",
    "accounts.add_passkey": "factor.",
    "accounts.rename_passkey": "factor.",
    "accounts.remove_passkey": "factor.",
    "accounts.set_up_passkey": "factor.",
    "accounts.make_recovery_codes": "factor.",
    "closing.accept": "closing.",
    "closing.ask_to_close": "closing.",
    "closing.cancel_closing": "closing.",
    "closing.confirm": "closing.",
    "closing.export_again": "closing.",
    "closing.pay": "closing.",
    "closing.start": "closing.",
    "contacts.choose_primary_company": "contact.changed",
    "contacts.unlink_company": "contact.changed",
    "domains.add": "domain.",
    "workspace.change": "workspace.changed",
    "workspace.delete_logo": "workspace.changed",
    "workspace.upload_logo": "workspace.changed",
    "domains.remove": "domain.",
    "domains.verify": "domain.",
    "grants.come_in": "staff.entered",
    "grants.confirm": "grant.instruction_confirmed",
    "grants.end": "grant.ended",
    "grants.give": "grant.given",
    "grants.leave": "staff.left",
    "grants.set_policy": "access_policy.changed",
    "mail_choices.change": "mail_choice.changed",
    "mail_choices.stop": "mail_choice.changed",
    "members.deactivate": "user.disabled",
    "members.hand_over": "user.records_handed_over",
    "members.join": "team.changed",
    "members.send_several": "user.invited",
    "policy.new_code": "policy.break_glass_made",
    "policy.save": "policy.changed",
    "policy.use_code": "policy.break_glass_used",
    "roles.create": "role.created",
    "roles.create_team": "team.created",
    "roles.delete": "role.deleted",
    "roles.delete_team": "team.deleted",
    "roles.end_preview": "preview.ended",
    "roles.save": "role.changed",
    "roles.save_team": "team.changed",
    "roles.start_preview": "preview.started",
    "sso.disconnect": "sso.disconnected",
    "sso.remove": "sso.removed",
    "sso.save": "sso.provider_set",
    "sso.switch_off": "sso.switched_off",
    "sso.switch_on": "sso.switched_on",
}


class Walk:
    """Alice at work. `does` sends one form and sees that an entry was left."""

    def __init__(self, organisation: Organisation, app: QikBiz) -> None:
        self.organisation, self.app = organisation, app
        self.alice = organisation.browser("alice")
        self.left: dict[str, set[str]] = {}

    def does(self, path: str, form: dict[str, Any] | None = None, browser: Any = None, **options: Any) -> str:
        """Where the answer leads to."""
        endpoint = self.app.url_map.bind(self.organisation.tenant.host, subdomain="tenant").match(
            path.partition("?")[0], method="POST"
        )[0]
        before = self._events()
        answer = (browser or self.alice).post(path, form, **options)
        assert answer.status_code < 400, (endpoint, answer.status_code, answer.text[-800:])
        new = self._events() - before
        assert new, f"{endpoint} leaves nothing in the audit."
        self.left[endpoint] = {action for _, action in new}
        return answer.location or ""

    def job_of(self, model: Any, ident: str) -> None:
        with tenant_transaction(self.organisation.tenant) as session:
            job_id = session.get_one(model, ident).job_id
        assert job_id
        perform(self.organisation.tenant.id, job_id)

    def _events(self) -> set[tuple[int, str]]:
        with tenant_transaction(self.organisation.tenant) as session:
            return {(row.seq, row.action) for row in session.execute(select(AuditEvent.seq, AuditEvent.action))}


def records(walk: Walk) -> None:
    umbrella = walk.does("/companies", {"name": "Umbrella"}).rpartition("/")[2]
    walk.does(f"/companies/{umbrella}/edit", {"name": "Umbrella Ltd", "version": "1"})
    walk.does(f"/companies/{umbrella}/fields/industry", {"version": "2", "was": "", "industry": "Rain"})
    ann = walk.does("/contacts", {"last_name": "Lee"}).rpartition("/")[2]
    walk.does(f"/contacts/{ann}/edit", {"last_name": "Lee", "first_name": "Ann", "version": "1"})
    walk.does(f"/contacts/{ann}/fields/city", {"version": "2", "was": "", "city": "Graz"})
    walk.does(f"/contacts/{ann}/companies", {"company_name": "Umbrella Ltd"})
    walk.does("/contacts/several", {"ids": ann, "act": "delete"})
    for plural, ident, name in (("contacts", ann, "Ann Lee"), ("companies", umbrella, "Umbrella Ltd")):
        if plural == "companies":
            walk.does("/companies/several", {"ids": ident, "act": "delete"})
        walk.does(f"/{plural}/restorations?ids={ident.replace('-', '')}")
        walk.does(f"/{plural}/{ident}/deletion")
        walk.does(f"/{plural}/{ident}/removal", {"typed": name})


def exports_and_audit(walk: Walk) -> None:
    first = walk.does("/exports/", {"scope": "contacts", "product": "portable"}).rpartition("/")[2]
    walk.does(f"/exports/{first}/cancellation")
    second = walk.does("/audit/exports").rpartition("/")[2]
    walk.job_of(Export, second)
    walk.does(f"/exports/{second}/deletion")
    walk.does("/audit/keeping", {"months": "24"})


def imports(walk: Walk) -> None:
    def uploaded() -> str:
        ident, _ = upload(walk.alice, FILE)
        columns = f"/imports/{ident}/columns"
        assert walk.alice.post(columns, choices_on(walk.alice.get(columns).text)).status_code == 303
        return ident

    stopped, ident = uploaded(), uploaded()
    assert walk.alice.post(f"/imports/{stopped}/check").status_code == 303
    walk.does(f"/imports/{stopped}/cancellation")
    walk.alice.post(f"/imports/{ident}/check")
    walk.job_of(Import, ident)
    walk.does(f"/imports/{ident}/application")
    walk.job_of(Import, ident)
    walk.alice.get(f"/imports/{ident}/refused.csv")
    walk.does(f"/imports/{ident}/undo")
    walk.job_of(Import, ident)
    with tenant_transaction(walk.organisation.tenant) as session:
        done = set(session.scalars(select(AuditEvent.action).where(AuditEvent.record_type == "import")))
    told = "uploaded checked cancelled apply_asked applied refused_rows_fetched undo_asked undone"
    assert done == {f"import.{act}" for act in told.split()}


def logins(walk: Walk) -> None:
    organisation = walk.organisation
    walk.does("/profile", {"name": "Alice A.", "time_zone": "Europe/Vienna", "theme": "dark"})
    walk.does("/users/invitation", {"email": "new@example.com", "name": "New", "role": "reader"})
    with tenant_transaction(organisation.tenant) as session:
        from qikbiz.identity.accounts.models import User

        new = session.scalars(select(User.id).where(User.email == "new@example.com")).one()
    walk.does(f"/users/{new}/invitation")
    bob = organisation.people["bob"].id
    walk.does(f"/users/{bob}/role", {"role": "member"})
    walk.does(f"/users/{bob}/closure")
    walk.does(f"/users/{bob}/opening")
    outside = organisation.log_in(organisation.people["ben"])
    organisation.log_in(organisation.people["ben"])
    others = re.findall(r"/profile/sessions/([0-9a-f]+)/end", outside.get("/profile/sessions").text)
    walk.does(f"/profile/sessions/{others[0]}/end", {}, outside)
    again = organisation.log_in(organisation.people["ben"])
    organisation.log_in(organisation.people["ben"])
    walk.does("/profile/sessions/end-others", {}, again)
    new_password = "an entirely different phrase 7"
    walk.does(
        "/profile/password", {"old_password": organisation.people["ben"].password, "password": new_password}, again
    )
    walk.does("/logout", {}, again)
    form = {"email": organisation.people["ben"].email, "password": new_password, "next": "/"}
    walk.does("/login", form, again)


def person(walk: Walk) -> None:
    zoe = walk.organisation.add_contact(first_name="Zoe")
    walk.does(f"/contacts/{zoe}/person/file")
    walk.does(f"/contacts/{zoe}/person/erasure", {"typed": "Zoe", "reference": ""})


STEPS: dict[str, Callable[[Walk], None]] = {
    "records": records,
    "exports and audit": exports_and_audit,
    "imports": imports,
    "logins": logins,
    "person": person,
}
WALKED: dict[str, str] = {
    "records": "companies.create companies.save companies.save_field companies.several companies.restore "
    "companies.delete companies.purge contacts.create contacts.save contacts.save_field contacts.link_company "
    "contacts.several contacts.restore contacts.delete contacts.purge",
    "exports and audit": "exports.create exports.call_off exports.delete audit.export audit.keep",
    "imports": "imports.call_off imports.apply imports.undo",
    "logins": "accounts.change_profile members.send_invitation members.resend_invitation members.change_role "
    "members.disable_user members.enable_user accounts.end_session accounts.end_other_sessions "
    "accounts.change_password accounts.logout accounts.log_in",
    "person": "persons.write_file persons.erase",
}
# Looking at the file is an act of its own (`import.uploaded`), seen in the step of imports.
SEEN_BESIDE = {"imports.create"}


@pytest.mark.parametrize("step", STEPS)
def test_each_act_leaves_an_entry(organisation: Organisation, app: QikBiz, step: str) -> None:
    walk = Walk(organisation, app)
    STEPS[step](walk)
    assert set(walk.left) == set(WALKED[step].split())


def test_no_route_that_changes_something_was_forgotten(app: QikBiz) -> None:
    """A new one is walked here, or says where it is seen or why it leaves nothing."""
    changing = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.subdomain == "tenant" and (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}
    }
    walked = {endpoint for several in WALKED.values() for endpoint in several.split()} | SEEN_BESIDE
    assert changing - walked - set(ELSEWHERE) - set(NOTHING) == set()
    assert (walked | set(ELSEWHERE) | set(NOTHING)) - changing == set()


def test_what_is_seen_elsewhere_is_written_somewhere() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    for endpoint, action in ELSEWHERE.items():
        thing, _, verb = action.partition(".")
        written = f'"{action}"' in source if verb else re.search(rf'f?"{thing}\.[a-z_{{]', source)
        assert written or action.startswith("contact."), f"{endpoint}: nothing writes {action}."


def test_a_login_that_fails_is_in_the_audit_without_what_was_typed(organisation: Organisation) -> None:
    stranger = organisation.browser("bob").__class__(organisation.browser("bob").app, organisation.tenant.host)
    assert stranger.log_in(organisation.people["ben"].email, "wrong password here").status_code == 401
    assert stranger.log_in("my-secret-password", "wrong password here").status_code in (401, 422)
    assert stranger.log_in("nobody@example.com", "wrong password here").status_code == 401
    with tenant_transaction(organisation.tenant) as session:
        failed = list(session.scalars(select(AuditEvent).where(AuditEvent.action == "login.failed")))
        said = session.scalar(select(func.string_agg(func.concat(AuditEvent.subject, AuditEvent.details), "")))
    assert {(one.record_id, one.actor_kind) for one in failed} == {
        (organisation.people["ben"].id, "anonymous"),
        (None, "anonymous"),
    }
    assert "my-secret-password" not in (said or "") and "nobody@example.com" not in (said or "")


def test_reading_a_record_is_in_it_too(organisation: Organisation) -> None:
    ann = organisation.add_contact(first_name="Ann")
    organisation.browser("bob").get(f"/contacts/{ann}")
    with tenant_transaction(organisation.tenant) as session:
        read = session.scalars(select(AuditEvent).where(AuditEvent.action == "contact.read")).one()
    assert (read.actor_name, str(read.record_id), read.subject) == ("Bob", ann, "Ann")
