"""One recipient, whatever a user typed as a name or an address: no line break adds a header (RFC 5322)."""

from __future__ import annotations

import unicodedata
from email.headerregistry import Address

from email_validator import EmailNotValidError, validate_email

from qikbiz.kernel.errors import Failure
from qikbiz.kernel.reading_direction import one_way

LONGEST_NAME = 100


class BadAddress(Failure):
    """Nothing can be sent to this address."""

    key = "bad_address"


def deliverable(address: str) -> str:
    """The address in the form in which it is sent to. Raises BadAddress."""
    try:
        # Reserved domains are let through: what is no address of a real server ends in a bounce or in the mail page.
        found = validate_email(address, check_deliverability=False, test_environment=True, allow_smtputf8=True)
    except EmailNotValidError as error:
        raise BadAddress("This isn't a valid email address.") from error
    return found.ascii_email or found.normalized


def clean_name(name: str) -> str:
    """A display name of one line, without control characters and turning marks, of a hundred characters at most."""
    visible = one_way(unicodedata.normalize("NFC", name))
    printable = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") else c for c in visible)
    return " ".join(printable.split())[:LONGEST_NAME].strip()


def header_address(address: str, name: str) -> Address:
    if address.isascii():
        return Address(display_name=clean_name(name), addr_spec=address)
    # The parser of whole addresses knows ASCII alone; a server with SMTPUTF8 takes the others (RFC 6532).
    user, _, domain = address.rpartition("@")
    return Address(display_name=clean_name(name), username=user, domain=domain)
