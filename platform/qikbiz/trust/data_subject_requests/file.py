"""Everything about one person as a file: a page to read, and the same as JSON for programs."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from qikbiz.crm.contacts.models import Contact
from qikbiz.files.store import FileStore
from qikbiz.kernel import clock
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.errors import NotFound
from qikbiz.transfer.exports.orders import MadeFile, Order
from qikbiz.transfer.exports.writer import LONGEST_SECONDS, check_room, zip_in_store
from qikbiz.trust.data_subject_requests.subject_report import everything_about
from tenants.context import Tenant

# The name of the product among the exports.
PERSON = "person"
FORMAT, FORMAT_VERSION = "qikbiz-person", 1
PARTS = ("fields", "companies", "history", "imports", "mails", "audit", "exports")


def make_person_file(order: Order, store: FileStore) -> MadeFile:
    """Write it. Raises NotFound when the contact is gone by now."""
    contact_id = UUID((order.selection.filters or {})["contact"][0])
    order.before_table("contacts")
    order.watch(0, len(PARTS), "Gathering")
    moment, gathered = _gathered(order.tenant, contact_id)
    rows = sum(len(gathered[part]) for part in PARTS)
    order.watch(len(PARTS) - 1, len(PARTS), "Writing")
    about = {"organisation": order.tenant.name, "as_it_was_at": moment.isoformat(), "contact": str(contact_id)}
    document = {"format": FORMAT, "format_version": FORMAT_VERSION, **about, **gathered}
    texts = {
        "about-you.html": _page().render(moment=moment, tenant=order.tenant, **gathered),
        "about-you.json": json.dumps(document, ensure_ascii=False, indent=2) + "\n",
    }
    check_room(order, store, sum(len(text) for text in texts.values()))
    files = []
    with zip_in_store(order, store) as archive:
        for name, text in texts.items():
            with archive.member(name) as member:
                member.write(text.encode())
            described = {"bytes": member.size, "sha256": member.sha256, "columns": []}
            files.append({"name": name, "table": "contacts", "rows": rows, **described})
    manifest = {"files": files, "totals": {"rows": rows, "files": 2}, "left_out": {"tables": {}, "columns": {}}}
    return MadeFile(order.name, archive.size, archive.sha256, moment, manifest)


@cache
def _page() -> Template:
    # An environment of its own: the file knows nothing of the request's pages, and commands have none.
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("data_subject_requests/about_you.html")


def _gathered(tenant: Tenant, contact_id: UUID) -> tuple[datetime, dict[str, Any]]:
    with tenant_transaction(tenant, snapshot=True, statement_timeout_ms=LONGEST_SECONDS * 1000) as session:
        contact = session.get(Contact, contact_id)
        if contact is None:
            raise NotFound("The contact no longer exists.")
        return clock.now(), everything_about(session, contact)
