"""The console's pages of announcements: write, look at both forms, try, schedule, watch, stop."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.kernel.access import access
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Permission
from qikbiz.messaging.announcements import actions
from qikbiz.messaging.announcements.counting import totals_of
from qikbiz.messaging.announcements.forms import AnnouncementForm, SendingForm, form_of, moment_typed, slugs_of
from qikbiz.messaging.announcements.models import Announcement
from qikbiz.messaging.announcements.queries import PAGE, newest
from qikbiz.messaging.announcements.sending import TEMPLATES
from qikbiz.messaging.mail.categories import category_named
from qikbiz.messaging.mail.rendering import Footing, RenderedMail, render_mail
from qikbiz.messaging.mail.routes import FRAME_POLICY
from qikbiz.web.flash import show_toast
from qikbiz.web.query_params import id_asked
from qikbiz.web.responses import CONTENT_SECURITY_POLICY

announcements = Blueprint("announcements", __name__, template_folder="templates", url_prefix="/announcements")
# Not a real organisation: the preview shows how it looks at a customer's.
SAMPLE = {"name": "Ann Lee", "organisation": "Example Ltd", "url": "https://example.invalid"}


@announcements.get("")
@access(Permission.ANNOUNCEMENT_SEND)
def index() -> ResponseReturnValue:
    found = newest(before=id_asked("before", page="the announcements"))
    shown = found[:PAGE]
    return render_template(
        "announcements/index.html",
        announcements=[(one, totals_of(one.id)) for one in shown],
        next_before=shown[-1].id if len(found) > PAGE else None,
        category_named=category_named,
    )


@announcements.get("/new")
@access(Permission.ANNOUNCEMENT_SEND)
def new() -> ResponseReturnValue:
    return render_template("announcements/form.html", form=AnnouncementForm(), announcement=None)


@announcements.post("")
@access(Permission.ANNOUNCEMENT_SEND)
def create() -> ResponseReturnValue:
    form = AnnouncementForm()
    if not form.validate_on_submit():
        return render_template("announcements/form.html", form=form, announcement=None), 422
    return redirect(url_for(".show", announcement_id=actions.write_draft(form.values()).id), 303)


@announcements.get("/<uuid:announcement_id>")
@access(Permission.ANNOUNCEMENT_SEND)
def show(announcement_id: UUID) -> ResponseReturnValue:
    return _page(actions.announcement_for_reading(announcement_id))


@announcements.get("/<uuid:announcement_id>/progress")
@access(Permission.ANNOUNCEMENT_SEND)
def progress(announcement_id: UUID) -> ResponseReturnValue:
    """The part that follows. Once the state is another than the page was made for, the whole page is loaded anew."""
    found = actions.announcement_for_reading(announcement_id)
    part = render_template("announcements/progress.html", announcement=found, totals=totals_of(found.id))
    response = make_response(part)
    if request.args.get("was") != found.state:
        response.headers["HX-Refresh"] = "true"
    return response


@announcements.get("/<uuid:announcement_id>/mail")
@access(Permission.ANNOUNCEMENT_SEND)
def mail(announcement_id: UUID) -> Response:
    """The mail as it will look, in a frame that can do nothing."""
    found = actions.announcement_for_reading(announcement_id)
    response = make_response(_rendered(found).html.replace("<head>", '<head><base target="_blank">', 1))
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    return response


@announcements.get("/<uuid:announcement_id>/edit")
@access(Permission.ANNOUNCEMENT_SEND)
def edit(announcement_id: UUID) -> ResponseReturnValue:
    found = actions.announcement_for_reading(announcement_id)
    if found.state != "draft":
        return redirect(url_for(".show", announcement_id=found.id), 303)
    return render_template("announcements/form.html", form=form_of(found), announcement=found)


@announcements.post("/<uuid:announcement_id>/edit/<int:version>")
@access(Permission.ANNOUNCEMENT_SEND)
def change(announcement_id: UUID, version: int) -> ResponseReturnValue:
    form = AnnouncementForm()
    if not form.validate_on_submit():
        found = actions.announcement_for_reading(announcement_id)
        return render_template("announcements/form.html", form=form, announcement=found), 422
    found = actions.change_draft(announcement_id, version, form.values())
    return redirect(url_for(".show", announcement_id=found.id), 303)


@announcements.post("/<uuid:announcement_id>/trial")
@access(Permission.ANNOUNCEMENT_SEND)
def send_trial(announcement_id: UUID) -> ResponseReturnValue:
    actions.send_trial(announcement_id, address=current_user.email, name=current_user.name)
    show_toast(f"A test email is on its way to {current_user.email}.")
    return redirect(url_for(".show", announcement_id=announcement_id), 303)


@announcements.post("/<uuid:announcement_id>/sending/<int:version>")
@access(Permission.ANNOUNCEMENT_SEND)
def schedule(announcement_id: UUID, version: int) -> ResponseReturnValue:
    """Now, or at the moment given. What was typed wrongly is said on the page, with nothing sent."""
    form = SendingForm.sent()
    try:
        is_now = form.when.text == "now"
        send_at = None if is_now else moment_typed(form.send_at.text)
        if not is_now and send_at is None:
            raise Failure("Choose a date and time, or send it now.")
        found = actions.schedule(announcement_id, version, send_at, is_confirmed=form.confirmed.text == "yes")
    except Failure as failure:
        if failure.status != Failure.status:
            raise
        return _page(actions.announcement_for_reading(announcement_id), form, failure.text), 422
    show_toast("The announcement is being sent." if is_now else "The announcement is scheduled.")
    return redirect(url_for(".show", announcement_id=found.id), 303)


@announcements.post("/<uuid:announcement_id>/draft/<int:version>")
@access(Permission.ANNOUNCEMENT_SEND)
def unschedule(announcement_id: UUID, version: int) -> ResponseReturnValue:
    actions.unschedule(announcement_id, version)
    show_toast("The announcement is a draft again.")
    return redirect(url_for(".show", announcement_id=announcement_id), 303)


@announcements.post("/<uuid:announcement_id>/stop")
@access(Permission.ANNOUNCEMENT_SEND)
def stop(announcement_id: UUID) -> ResponseReturnValue:
    actions.stop(announcement_id)
    show_toast("Stopped. No further emails are sent.")
    return redirect(url_for(".show", announcement_id=announcement_id), 303)


@announcements.post("/<uuid:announcement_id>/deletion/<int:version>")
@access(Permission.ANNOUNCEMENT_SEND)
def delete(announcement_id: UUID, version: int) -> ResponseReturnValue:
    actions.delete_draft(announcement_id, version)
    show_toast("Draft deleted.")
    return redirect(url_for(".index"), 303)


def _page(found: Announcement, form: SendingForm | None = None, problem: str = "") -> Response:
    response = make_response(
        render_template(
            "announcements/show.html",
            announcement=found,
            category=category_named(found.category),
            totals=totals_of(found.id),
            slugs=slugs_of(found),
            text=_rendered(found).text,
            problem=problem,
            typed=form.texts if form else {},
        )
    )
    response.headers["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
    return response


def _rendered(found: Announcement) -> RenderedMail:
    """As a person gets it, with links that lead nowhere."""
    values = {**SAMPLE, "subject": found.subject, "body": found.body}
    can_be_off = category_named(found.category).can_be_off
    footing = Footing(f"{SAMPLE['url']}/unsubscribe/…", f"{SAMPLE['url']}/profile/mails") if can_be_off else Footing()
    return render_mail(TEMPLATES[found.category], values, sender=SAMPLE["organisation"], footing=footing)
