"""A user's page, handing over, deactivating, and inviting several people at once."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.identity.accounts.queries import with_open_invitation
from qikbiz.identity.members import actions, bulk_invite, queries
from qikbiz.identity.members.blueprint import members
from qikbiz.identity.members.bulk_invite import Row
from qikbiz.identity.members.forms import TableForm, TransferForm
from qikbiz.identity.members.owned_records import OWNED_RECORDS
from qikbiz.identity.members.seats import seats
from qikbiz.identity.roles import teams
from qikbiz.identity.roles.effective_rights import names_of_roles
from qikbiz.identity.roles.forms import TeamsForm, ids_ticked
from qikbiz.identity.roles.queries import all_teams, role_choices, teams_of
from qikbiz.jobs.kinds import current_name
from qikbiz.jobs.models import Job
from qikbiz.jobs.queries import job, progress_of
from qikbiz.kernel.access import access
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast
from qikbiz.web.formats import count
from qikbiz.web.fragments import render_page


@members.get("/<uuid:user_id>")
@access(Permission.USER_MANAGE)
def show(user_id: UUID) -> ResponseReturnValue:
    user = queries.user_for_reading(user_id)
    return render_template(
        "members/user.html",
        user=user,
        role_names=list(names_of_roles(db.session(), user.roles).values()),
        roles=role_choices(),
        teams=all_teams(),
        joined=teams_of(user_id),
        owned=OWNED_RECORDS.value.owned_by(user_id),
        is_linked=user.id in with_open_invitation(),
    )


@members.post("/<uuid:user_id>/teams")
@access(Permission.TEAM_MANAGE, fresh=True)
def join(user_id: UUID) -> ResponseReturnValue:
    user = queries.user_for_reading(user_id)
    teams.join_teams(user.id, ids_ticked(TeamsForm.sent().teams.texts))
    show_toast(f"Teams of {user.name} saved. Effective immediately.")
    return redirect(url_for(".show", user_id=user_id), 303)


@members.get("/<uuid:user_id>/deactivation")
@access(Permission.USER_MANAGE)
def confirm_deactivation(user_id: UUID) -> ResponseReturnValue:
    return _hand_over_page(user_id, is_leaving=True)


@members.post("/<uuid:user_id>/deactivation")
@access(Permission.USER_MANAGE, fresh=True)
def deactivate(user_id: UUID) -> ResponseReturnValue:
    form = TransferForm.sent()
    user = actions.disable_user(user_id)
    new_owner = _new_owner(form)
    working = OWNED_RECORDS.value.transfer(user_id, new_owner) if new_owner else None
    show_toast(f"{user.name} can no longer sign in.")
    return _to_what_follows(user_id, working)


@members.get("/<uuid:user_id>/handover")
@access(Permission.USER_MANAGE)
def confirm_handover(user_id: UUID) -> ResponseReturnValue:
    return _hand_over_page(user_id, is_leaving=False)


@members.post("/<uuid:user_id>/handover")
@access(Permission.USER_MANAGE, fresh=True)
def hand_over(user_id: UUID) -> ResponseReturnValue:
    new_owner = _new_owner(TransferForm.sent())
    if new_owner is None:
        raise Failure("Choose a new owner for the records. Nothing was changed.")
    total = OWNED_RECORDS.value.owned_by(user_id).total
    working = OWNED_RECORDS.value.transfer(user_id, new_owner)
    if working is None:
        show_toast(f"Transferred {count(total, 'record')}.")
    return _to_what_follows(user_id, working)


@members.get("/<uuid:user_id>/handover/<uuid:job_id>")
@access(Permission.USER_MANAGE)
def progress(user_id: UUID, job_id: UUID) -> ResponseReturnValue:
    """How far a large hand-over is."""
    user, working = queries.user_for_reading(user_id), job(job_id)
    if (
        working is None
        or current_name(working.kind) != "records.transfer"
        or working.arguments.get("from") != str(user_id)
    ):
        return redirect(url_for(".show", user_id=user_id), 303)
    return render_page("members/progress.html", "standing", user=user, job_id=job_id, progress=progress_of(working))


@members.get("/invitations")
@access(Permission.USER_INVITE)
def invite_several() -> ResponseReturnValue:
    return _invite_page("")


@members.post("/invitations")
@access(Permission.USER_INVITE)
def look_at_table() -> ResponseReturnValue:
    """Show what would be sent; nothing is sent yet."""
    text = _table(TableForm.sent())
    try:
        rows = bulk_invite.rows_from(text)
    except Failure as problem:
        return _invite_page(text, problem.text), 422
    return _preview_page(text, rows)


@members.post("/invitations/sending")
@access(Permission.USER_INVITE, fresh=True)
def send_several() -> ResponseReturnValue:
    """Invite those chosen. What changed since the look at the table is judged anew; one bad row sends none."""
    form = TableForm.sent()
    text, chosen = _table(form), set(form.lines.texts)
    rows = [row for row in bulk_invite.rows_from(text) if str(row.number) in chosen]
    if not rows or any(row.problems for row in rows):
        return _preview_page(text, bulk_invite.rows_from(text), "Select at least one line without errors."), 422
    problem = _seats_missing(rows)
    if problem:
        return _preview_page(text, bulk_invite.rows_from(text), problem), 422
    invited = bulk_invite.invite_all(rows, invited_by=current_user.name)
    show_toast(f"{count(len(invited), 'invitation').capitalize()} sent.")
    return redirect(url_for(".index"), 303)


def _hand_over_page(user_id: UUID, *, is_leaving: bool) -> str:
    user = queries.user_for_reading(user_id)
    return render_template(
        "members/handover.html",
        user=user,
        owned=OWNED_RECORDS.value.owned_by(user_id),
        new_owners=[("", "Keep the current owner" if is_leaving else "Choose a user")]
        + [(str(new_owner.id), new_owner.name) for new_owner in queries.possible_new_owners(user_id)],
        is_leaving=is_leaving,
        most=OWNED_RECORDS.value.most_at_once,
    )


def _new_owner(form: TransferForm) -> UUID | None:
    return ids_ticked([form.to.text])[0] if form.to.text else None


def _to_what_follows(user_id: UUID, working: Job | None) -> ResponseReturnValue:
    if working is None:
        return redirect(url_for(".show", user_id=user_id), 303)
    return redirect(url_for(".progress", user_id=user_id, job_id=working.id), 303)


def _table(form: TableForm) -> str:
    given = request.files.get("file")
    if given is not None and given.filename:
        return bulk_invite.text_of(given.stream.read(bulk_invite.MOST_BYTES + 1))
    return form.table.text


def _seats_missing(rows: list[Row]) -> str:
    return seats().problem_with(sum(row.takes_seat for row in rows))


def _invite_page(text: str, problem: str = "") -> str:
    names = [name for _, name in role_choices()]
    return render_template(
        "members/invite_several.html", text=text, problem=problem, roles=names, most=bulk_invite.MOST_ROWS
    )


def _preview_page(text: str, rows: list[Row], problem: str = "") -> str:
    good = [row for row in rows if not row.problems]
    problem = problem or _seats_missing(good)
    return render_template("members/preview.html", text=text, rows=rows, good=good, problem=problem)
