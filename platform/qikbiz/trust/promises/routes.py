"""`/promises`: statement, evidence, code and tests tied together. A public page, and one in each tenant."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from config.build import running_build
from qikbiz.kernel.access import access
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.trust.privacy.queries import text_in_force
from qikbiz.trust.privacy.text import Block
from qikbiz.trust.promises.queries import promise_shown, run_shown, sections_shown
from qikbiz.trust.promises.test_results import last_run
from qikbiz.web.fragments import render_block

public_promises = Blueprint("public_promises", __name__, template_folder="templates")
promises = Blueprint("promises", __name__, template_folder="templates")


@public_promises.get("/promises")
@access(Permission.PUBLIC)
def index() -> str:
    return _page(in_tenant=False)


@promises.get("/promises", endpoint="index")
@access(Permission.SIGNED_IN)
def index_of_tenant() -> str:
    return _page(in_tenant=True)


@public_promises.get("/promises/<number>")
@access(Permission.PUBLIC)
def tests(number: str) -> str:
    return _tests(number, in_tenant=False)


@promises.get("/promises/<number>", endpoint="tests")
@access(Permission.SIGNED_IN)
def tests_of_tenant(number: str) -> str:
    return _tests(number, in_tenant=True)


def _page(*, in_tenant: bool) -> str:
    text, last = text_in_force(), run_shown(last_run(), running_build())
    sections = sections_shown(text, last, in_tenant=in_tenant)
    return render_template(
        "promises/index.html",
        last=last,
        sections=sections,
        promises=[promise for section in sections for promise in section.promises],
        in_tenant=in_tenant,
        nav_active="promises",
    )


def _tests(number: str, *, in_tenant: bool) -> str:
    """The tests behind one promise: a page of its own, and what the page of all loads when its part is opened."""
    last = run_shown(last_run(), running_build())
    promise = promise_shown(_promise(number), last, in_tenant=in_tenant)
    facts = {"promise": promise, "last": last, "in_tenant": in_tenant, "nav_active": "promises"}
    if request.headers.get("HX-Request") == "true":
        return render_block("promises/tests.html", "tests", **facts)
    return render_template("promises/tests.html", **facts)


def _promise(number: str) -> Block:
    for section in text_in_force().sections:
        for promise in section.promises:
            if promise.number == number:
                return promise
    raise NotFound
