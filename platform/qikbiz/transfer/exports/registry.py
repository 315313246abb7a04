"""Which function makes the file of which product."""

from __future__ import annotations

from collections.abc import Callable

from qikbiz.files.store import FileStore
from qikbiz.transfer.exports.audit_file import make_audit_file
from qikbiz.transfer.exports.selection import AUDIT, PERSON
from qikbiz.transfer.exports.writer import MadeFile, Order, make_file
from qikbiz.trust.data_subject_requests.file import make_person_file

Maker = Callable[[Order, FileStore], MadeFile]
_MAKERS: dict[str, Maker] = {AUDIT: make_audit_file, PERSON: make_person_file}


def maker_of(product: str) -> Maker:
    """Lists and everything are tables; what is something of its own has a maker of its own."""
    return _MAKERS.get(product, make_file)
