"""What the pages of the audit say of records: the acts on them to filter by, and where each one is."""

from __future__ import annotations

from qikbiz.audit.labels import heading
from qikbiz.audit.models import AuditEvent
from qikbiz.crm.schema.registry import BY_SINGULAR

_VERBS = "read", "changed", "deleted"


def record_acts() -> list[tuple[str, str]]:
    """(what the filter sends, how it reads), as `audit/labels.py` has them for everything else."""
    acts = []
    for name, kind in BY_SINGULAR.items():
        acts.append((name, f"All {kind.label.lower()} actions"))
        acts += [(f"{name}.{verb}", heading(f"{name}.{verb}")) for verb in _VERBS]
    return acts


def record_url(event: AuditEvent) -> str:
    """Where the record is, if it has a page of its own."""
    kind = BY_SINGULAR.get(event.record_type)
    return f"/{kind.plural}/{event.record_id}" if kind and event.record_id else ""
