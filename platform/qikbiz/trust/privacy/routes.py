"""The statement on the public site: what is in force, what is announced beside it, and all that ever was."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from qikbiz.kernel.access import access
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.trust.privacy.diff import differences
from qikbiz.trust.privacy.feed import feed_of
from qikbiz.trust.privacy.queries import Standing, Version, standing

privacy = Blueprint("privacy", __name__, template_folder="templates", url_prefix="/privacy")


@privacy.get("")
@access(Permission.PUBLIC)
def statement() -> str:
    now = standing()
    return _statement_page(now.in_force, now)


@privacy.get("/changes")
@access(Permission.PUBLIC)
def changes() -> ResponseReturnValue:
    """The announced version beside the one in force. Between announcements there is nothing to compare."""
    now = standing()
    if now.announced is None:
        return redirect(url_for(".archive"))
    pairs = differences(now.in_force.text, now.announced.text)
    return render_template("privacy/changes.html", before=now.in_force, after=now.announced, pairs=pairs)


@privacy.get("/versions")
@access(Permission.PUBLIC)
def archive() -> str:
    return render_template("privacy/archive.html", standing=standing())


@privacy.get("/versions/<int:number>")
@access(Permission.PUBLIC)
def version(number: int) -> str:
    now = standing()
    return _statement_page(_version(number), now)


@privacy.get("/versions/<int:number>.md")
@access(Permission.PUBLIC)
def source(number: int) -> Response:
    """The text exactly as it was hashed."""
    return Response(_version(number).source, content_type="text/markdown; charset=utf-8")


@privacy.get("/feed.xml")
@access(Permission.PUBLIC)
def feed() -> Response:
    return Response(feed_of(standing()), content_type="application/rss+xml; charset=utf-8")


def _statement_page(shown: Version, now: Standing) -> str:
    operator = runtime().settings.operator
    return render_template("privacy/statement.html", version=shown, standing=now, operator=operator)


def _version(number: int) -> Version:
    found = standing().version(number)
    if found is None:
        raise NotFound
    return found
