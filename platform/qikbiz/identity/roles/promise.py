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
        *((f"Users with the role {role.name}", str(len(role.people))) for role in roles),
        ("Roles with hidden or read-only fields", ", ".join(ruled) or "none"),
        ("Teams", str(len(all_teams()))),
    ]


KEEPINGS = (
    Keeping(
        promise="P15",
        how=(
            "A role defines, for contacts and for companies, whose records a user may see, create, change, delete, "
            "export and import: none, their own, their team's or all. It also defines which fields are hidden or "
            "read-only, and which settings pages open. The same rules apply everywhere: lists, searches, counts, "
            "links, histories, files and background jobs. A record that a user may not see answers like one that does "
            "not exist. A change takes effect with the user's next click. No user can give more than they have, and "
            "the last administrator can't be removed."
        ),
        place="roles.index",
        place_name="Roles",
        evidence=_evidence,
        try_it="Choose “View as” for a colleague and see the product exactly as that user does.",
    ),
)
