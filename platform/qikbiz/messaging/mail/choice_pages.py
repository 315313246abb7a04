"""Which mails one gets: the page in the settings, and the link at the end of each mail that can be stopped."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.identity.accounts.models import User
from qikbiz.kernel.access import access
from qikbiz.kernel.database import db, runtime
from qikbiz.kernel.errors import Failure, NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.messaging.mail import choices
from qikbiz.messaging.mail.categories import KINDS, LOCKED, NEWS
from qikbiz.messaging.mail.forms import ChoicesForm, OneClickForm
from qikbiz.messaging.mail.unsubscribing import ONE_CLICK, Subscription, opened_token
from qikbiz.web.flash import show_toast
from tenants.context import current_tenant

mail_choices = Blueprint("mail_choices", __name__, template_folder="templates")
CHOICE_WORDS = {
    "on": "Immediately",
    "daily": "Daily digest at 8:00",
    "app": "In the app only",
    "off": "Off",
}
NEWS_WORDS = {"on": "On", "off": "Off"}


@mail_choices.get("/profile/mails")
@access(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    return render_template(
        "choices/index.html",
        locked=LOCKED,
        news=NEWS,
        kinds=KINDS,
        choices=choices.choices_of(current_user.id),
        choice_words=CHOICE_WORDS,
        news_words=NEWS_WORDS,
    )


@mail_choices.post("/profile/mails")
@access(Permission.SIGNED_IN)
def change() -> ResponseReturnValue:
    wanted = ChoicesForm.sent().wanted
    user = db.session.get(User, current_user.id, with_for_update=True)
    if user is None:
        raise NotFound("Only users of this workspace have notification settings.")
    changes = choices.change_choices(user, wanted)
    show_toast("Saved." if changes else "Nothing was changed.")
    return redirect(url_for(".index"), 303)


@mail_choices.get("/unsubscribe/<token>")
@access(Permission.PUBLIC, sealed_link=True)
def ask_to_stop(token: str) -> ResponseReturnValue:
    """Changes nothing: programs that look at mails for viruses open every link in them."""
    found = _subscription(token)
    return _stop_page(found, token, is_stopped=choices.is_stopped(found.user_id, found.category.key))


@mail_choices.post("/unsubscribe/<token>")
@access(Permission.PUBLIC, sealed_link=True)
def stop(token: str) -> ResponseReturnValue:
    """RFC 8058: sent by the mail program itself, or by the button of the page."""
    found = _subscription(token)
    if not OneClickForm().is_meant:
        raise Failure(
            "This isn't an unsubscribe request: it must contain List-Unsubscribe=One-Click. Nothing was changed."
        )
    choices.unsubscribe(found.user_id, found.category.key)
    return _stop_page(found, token, is_stopped=True)


def _subscription(token: str) -> Subscription:
    return opened_token(runtime().settings.keys, current_tenant(), token)


def _stop_page(found: Subscription, token: str, *, is_stopped: bool) -> str:
    return render_template(
        "choices/stop.html", category=found.category, token=token, is_stopped=is_stopped, one_click=ONE_CLICK
    )
