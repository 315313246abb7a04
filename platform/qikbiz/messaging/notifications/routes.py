"""The page of one's own notifications. Everybody has one; nobody sees another's."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.kernel.access import access
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Permission
from qikbiz.messaging.mail.categories import KINDS, NOTIFICATIONS
from qikbiz.messaging.notifications.actions import mark_all_read, mark_read
from qikbiz.messaging.notifications.forms import ReadAllForm, ReadForm
from qikbiz.messaging.notifications.queries import PAGE, notifications_of
from qikbiz.web.flash import show_toast
from qikbiz.web.query_params import id_asked

notifications = Blueprint("notifications", __name__, template_folder="templates", url_prefix="/notifications")
ICONS = {
    "assigned": "user-check",
    "mentioned": "message",
    "import_ready": "table-import",
    "export_ready": "download",
    "grant_used": "shield-lock",
}
NAMES = {one.key.removeprefix(NOTIFICATIONS): one.name for one in KINDS}


@notifications.get("")
@access(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    only_unread = request.args.get("show") == "unread"
    before = id_asked("before", page="the notifications")
    found = notifications_of(current_user.id, only_unread=only_unread, before=before)
    shown = found[:PAGE]
    return render_template(
        "notifications/index.html",
        notifications=shown,
        next_before=shown[-1].id if len(found) > PAGE else None,
        only_unread=only_unread,
        icons=ICONS,
        names=NAMES,
    )


@notifications.post("/<uuid:notification_id>/reading")
@access(Permission.SIGNED_IN)
def read(notification_id: UUID) -> ResponseReturnValue:
    form = ReadForm.sent()
    mark_read(current_user.id, notification_id)
    return redirect(url_for(".index", show=form.shown), 303)


@notifications.post("/readings")
@access(Permission.SIGNED_IN)
def read_all() -> ResponseReturnValue:
    form = ReadAllForm.sent()
    up_to = form.up_to.uuid
    if up_to is None:
        raise Failure("The page is out of date. Reload it and try again.")
    mark_all_read(current_user.id, up_to)
    show_toast("All marked as read.")
    return redirect(url_for(".index", show=form.shown), 303)
