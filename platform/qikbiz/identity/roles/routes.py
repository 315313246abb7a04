"""Settings: roles as a table of record types and acts, teams, and looking at the product as others see it."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.identity.accounts.queries import all_users
from qikbiz.identity.roles import actions, queries, teams, view_as
from qikbiz.identity.roles.actions import NameTaken
from qikbiz.identity.roles.builtin_roles import page_rights
from qikbiz.identity.roles.forms import (
    ACTION_WORDS,
    RULE_WORDS,
    SCOPE_WORDS,
    CopyForm,
    NameForm,
    PreviewForm,
    RoleForm,
    TeamForm,
    ids_ticked,
    rights_from,
    role_form,
    rule_cells,
    scope_cells,
)
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission, Role
from qikbiz.kernel.rights import Rights
from qikbiz.web.flash import show_toast

roles = Blueprint("roles", __name__, template_folder="templates")


@roles.get("/roles")
@access(Permission.ROLE_MANAGE)
def index() -> ResponseReturnValue:
    return render_template("roles/index.html", roles=queries.all_roles())


@roles.get("/roles/new")
@access(Permission.ROLE_MANAGE)
def new() -> ResponseReturnValue:
    form = _copy_form()
    form.source.data = request.args.get("from", Role.MEMBER.value)
    return render_template("roles/new.html", form=form)


@roles.post("/roles")
@access(Permission.ROLE_MANAGE, fresh=True)
def create() -> ResponseReturnValue:
    form = _copy_form()
    if form.validate_on_submit():
        try:
            role = actions.copy_role(form.source.data, form.name.data or "")
        except NameTaken as problem:
            form.name.errors = [problem.text]
        else:
            show_toast(f"{role.name} created. No user has it yet.")
            return redirect(url_for(".show", key=role.key), 303)
    return render_template("roles/new.html", form=form), 422


@roles.get("/roles/<key>")
@access(Permission.ROLE_MANAGE)
def show(key: str) -> ResponseReturnValue:
    line = queries.role_line(key)
    return _role_page(line, line.rights, role_form(name=line.name))


@roles.post("/roles/<key>")
@access(Permission.ROLE_MANAGE, fresh=True)
def save(key: str) -> ResponseReturnValue:
    queries.role_for_changing(key)
    line, form = queries.role_line(key), role_form()
    rights = rights_from(form)
    if form.validate_on_submit():
        try:
            actions.change_role(key, form.name.data or "", rights, seen_at=form.seen_at.text)
        except NameTaken as problem:
            form.name.errors = [problem.text]
        else:
            show_toast("Saved. Effective immediately.")
            return redirect(url_for(".show", key=key), 303)
    return _role_page(line, rights, form), 422


@roles.post("/roles/<key>/removal")
@access(Permission.ROLE_MANAGE, fresh=True)
def delete(key: str) -> ResponseReturnValue:
    show_toast(f"Role {actions.delete_role(key)} deleted.")
    return redirect(url_for(".index"), 303)


@roles.post("/preview")
@access(Permission.ROLE_MANAGE, fresh=True)
def start_preview() -> ResponseReturnValue:
    form = PreviewForm.sent()
    view_as.start(current_user, form.role.text, form.user.text)
    return redirect("/", 303)


@roles.post("/preview/end")
@access(Permission.SIGNED_IN, while_viewing_as=True)
def end_preview() -> ResponseReturnValue:
    view_as.end(current_user)
    return redirect(url_for(".index"), 303)


@roles.get("/teams")
@access(Permission.TEAM_MANAGE)
def all_teams() -> ResponseReturnValue:
    return render_template("roles/teams.html", teams=queries.all_teams(), form=NameForm())


@roles.post("/teams")
@access(Permission.TEAM_MANAGE, fresh=True)
def create_team() -> ResponseReturnValue:
    form = NameForm()
    if form.validate_on_submit():
        try:
            team = teams.create_team(form.name.data or "")
        except NameTaken as problem:
            form.name.errors = [problem.text]
        else:
            return redirect(url_for(".team", team_id=team.id), 303)
    return render_template("roles/teams.html", teams=queries.all_teams(), form=form), 422


@roles.get("/teams/<uuid:team_id>")
@access(Permission.TEAM_MANAGE)
def team(team_id: UUID) -> ResponseReturnValue:
    found = queries.team_for_changing(team_id)
    return _team_page(team_id, found.name, queries.members_of(team_id), TeamForm(name=found.name))


@roles.post("/teams/<uuid:team_id>")
@access(Permission.TEAM_MANAGE, fresh=True)
def save_team(team_id: UUID) -> ResponseReturnValue:
    found, form = queries.team_for_changing(team_id), TeamForm()
    people, before = ids_ticked(form.members.texts), found.name
    if form.validate_on_submit():
        try:
            teams.change_team(team_id, form.name.data or "", people, seen=form.seen.text)
        except NameTaken as problem:
            form.name.errors = [problem.text]
        else:
            show_toast("Saved. Effective immediately.")
            return redirect(url_for(".all_teams"), 303)
    return _team_page(team_id, before, set(people), form), 422


@roles.post("/teams/<uuid:team_id>/removal")
@access(Permission.TEAM_MANAGE, fresh=True)
def delete_team(team_id: UUID) -> ResponseReturnValue:
    show_toast(f"Team {teams.delete_team(team_id)} deleted. Its members keep their records.")
    return redirect(url_for(".all_teams"), 303)


def _copy_form() -> CopyForm:
    form = CopyForm()
    form.source.choices = queries.role_choices()
    return form


def _role_page(line: Any, rights: Rights, form: RoleForm) -> str:
    return render_template(
        "roles/role.html",
        line=line,
        form=form,
        seen_at=form.seen_at.text or (actions.edition_of(line.own) if line.own else ""),
        scopes=scope_cells(rights),
        rules=rule_cells(rights),
        pages=[(group, list(found)) for group, found in groupby(page_rights(), key=lambda right: right.group)],
        chosen=rights.pages,
        scope_words=[(scope.key, words) for scope, words in SCOPE_WORDS.items()],
        action_words=list(ACTION_WORDS.values()),
        rule_words=[(str(rule), words) for rule, words in RULE_WORDS.items()],
    )


def _team_page(team_id: UUID, name: str, members: set[UUID], form: TeamForm) -> str:
    people = [user for user in all_users() if user.state != "disabled" or user.id in members]
    return render_template(
        "roles/team.html",
        team_id=team_id,
        name=name,
        people=people,
        members=members,
        form=form,
        seen=form.seen.text or teams.edition_of(name, members),
    )
