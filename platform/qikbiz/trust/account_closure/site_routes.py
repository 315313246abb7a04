"""On the public site: certificates of erasure by their number, and where the payment service reports."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from qikbiz.kernel.access import access
from qikbiz.kernel.database import control_transaction, runtime
from qikbiz.kernel.permissions import Permission
from qikbiz.trust.account_closure.certificates import PURPOSE, certificate_numbered, is_genuine, name_mark
from qikbiz.trust.account_closure.emails import certificate_url
from qikbiz.trust.account_closure.payments import take_card_report

certificates = Blueprint("certificates", __name__, template_folder="templates")
MOST_BYTES = 256 * 1024


@certificates.get("/certificates")
@access(Permission.PUBLIC)
def find() -> ResponseReturnValue:
    """A field for the number."""
    number = request.args.get("number", "").strip()[:40]
    if number:
        return redirect(url_for(".show", number=number))
    return render_template("account_closure/find_certificate.html", number="", problem="")


@certificates.get("/certificates/<number>")
@access(Permission.PUBLIC)
def show(number: str) -> ResponseReturnValue:
    """The certificate, if we issued it and it is as we signed it."""
    with control_transaction():
        found = certificate_numbered(number[:40])
    if found is None or not is_genuine(found):
        problem = "There is no certificate with this number. Check the number and try again."
        return render_template("account_closure/find_certificate.html", number=number[:40], problem=problem), 404
    typed = request.args.get("organisation", "")[:200]
    document = found.document
    public_key = runtime().settings.keys.public_key(PURPOSE, found.key_id)
    return render_template(
        "account_closure/certificate.html",
        certificate=found,
        address=certificate_url(found.number),
        document=document,
        backups_gone_by=date.fromisoformat(document["backups_gone_by"]),
        public_key=public_key.hex() if public_key else "",
        typed=typed,
        is_theirs=bool(typed) and name_mark(found.number, typed) == document["organisation_name_sha256"],
    )


@certificates.post("/payments/stripe")
@access(Permission.PUBLIC, standalone=True)
def report_payment() -> ResponseReturnValue:
    """Stripe's reports, believed by their signature alone: no session, no form token."""
    request.max_content_length = MOST_BYTES
    outcome = take_card_report(request.get_data(), request.headers.get("Stripe-Signature", ""))
    return jsonify(outcome=outcome.text), outcome.status
