"""What the pages of closing send: the customer's steps, and the console's forms."""

from __future__ import annotations

from wtforms import IntegerField

from qikbiz.web.forms import OwnForm, ReasonForm, Text


class RequestForm(ReasonForm):
    """The reason, and the organisation's name typed to confirm."""

    typed = Text()


class QuoteForm(OwnForm):
    """The amount that the page showed, so that nobody accepts another."""

    amount = Text()


class ChecksumForm(OwnForm):
    checksum = Text("Checksum, or its last 8 characters")


class RetrievalForm(OwnForm):
    days = IntegerField("Days to download your data")


class PaymentForm(OwnForm):
    reference = Text("Payment reference")


class ExtensionForm(ReasonForm):
    until = Text("Keep data until the end of")


class ChargesForm(ReasonForm):
    """What everybody is charged."""

    fee = Text("Fee")
    currency = Text("Currency")
    per_hour = Text("Our cost per hour of work")
    per_gib = Text("Our cost per GiB")


class TenantChargeForm(ReasonForm):
    """What one tenant is charged."""

    slug = Text("Tenant address")
    fee = Text("Fee")
    is_eu = Text("A customer in the European Union")
