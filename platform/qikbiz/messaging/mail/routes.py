"""The page of mails that would have been sent, at /mails of the public site. Registered only outside production."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request

from qikbiz.kernel.access import access
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.messaging.mail import dev_outbox
from qikbiz.messaging.mail.dev_outbox import WrittenMail
from qikbiz.web.responses import CONTENT_SECURITY_POLICY

mailbox = Blueprint("mailbox", __name__, template_folder="templates", url_prefix="/mails")
# A mail has styles of its own, so its frame allows them and nothing else: no script, nothing fetched.
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


@mailbox.get("/")
@access(Permission.PUBLIC)
def index() -> str:
    q = request.args.get("q", "")[:200]
    return render_template("mailbox/index.html", mails=dev_outbox.newest(runtime().settings.mail_sink, q), q=q)


@mailbox.get("/<uuid:mail_id>")
@access(Permission.PUBLIC)
def show(mail_id: UUID) -> Response:
    response = make_response(render_template("mailbox/mail.html", mail=_mail(mail_id)))
    response.headers["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
    return response


@mailbox.get("/<uuid:mail_id>/html")
@access(Permission.PUBLIC)
def frame(mail_id: UUID) -> Response:
    # Links open beside the frame, which itself may not go anywhere.
    response = make_response(_mail(mail_id).html.replace("<head>", '<head><base target="_blank">', 1))
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    return response


def _mail(mail_id: UUID) -> WrittenMail:
    mail = dev_outbox.read(runtime().settings.mail_sink, mail_id)
    if mail is None:
        raise NotFound("There is no such email in the folder.")
    return mail
