"""P15: you restrict what specific users can do."""

from __future__ import annotations

from collections.abc import Sequence

from qikbiz.identity.roles.queries import all_roles, all_teams
from qikbiz.kernel.evidence import Fact, Keeping


def _evidence() -> Sequence[Fact]:
    roles = all_roles()
    own = [role for role in roles if role.own]
    ruled = [role.name for role in own if any((role.rights.rules or {}).values())]
    return [
        *((f"People with the role {role.name}", str(len(role.people))) for role in roles),
        ("Roles with hidden or read-only fields", ", ".join(ruled) or "none"),
        ("Teams", str(len(all_teams()))),
    ]


KEEPINGS = (
    Keeping(
        promise="P15",
        how=(
            "A role says, for contacts and for companies, whose records somebody may see, create, change, delete, "
            "export and import: none, their own, their team's or all. It also says which fields are hidden or only "
            "read, and which pages of the settings open. Everything asks the same table: lists, searches, counts, "
            "links, histories, files and the work in the background. A record out of reach answers as one that does "
            "not exist. A change counts from the person's next click on. Nobody gives away more than they have, and "
            "the last administrator can't be removed."
        ),
        place="roles.index",
        place_name="Roles",
        evidence=_evidence,
        try_it="Choose “View as” for a colleague and see the product exactly as that person does.",
    ),
)
