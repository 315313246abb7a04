"""`/promises`: statement, code, tests and evidence tied together. A public page, and one in each tenant."""

from __future__ import annotations

from flask import Blueprint, render_template

from qikbiz.permissions import Permission, public, requires
from qikbiz.privacy.queries import text_in_force
from qikbiz.promises.proofs import recorded_proofs
from qikbiz.promises.queries import sections_shown

public_promises = Blueprint("public_promises", __name__, template_folder="templates")
promises = Blueprint("promises", __name__, template_folder="templates")


@public_promises.get("/promises")
@public
def index() -> str:
    return _page(in_tenant=False)


@promises.get("/promises", endpoint="index")
@requires(Permission.SIGNED_IN)
def index_of_tenant() -> str:
    return _page(in_tenant=True)


def _page(*, in_tenant: bool) -> str:
    text, proofs = text_in_force(), recorded_proofs()
    sections = sections_shown(text, proofs, in_tenant=in_tenant)
    every = [promise for section in sections for promise in section.promises]
    return render_template(
        "promises/index.html",
        text=text,
        proofs=proofs,
        sections=sections,
        proved=sum(promise.state == "proved" for promise in every),
        promises=every,
        in_tenant=in_tenant,
        nav_active="promises",
    )
