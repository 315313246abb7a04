"""What a route requires of a visitor: one declaration, `@access(…)`, read by the request pipeline before the view runs.

A view without one is never served, and a test over the URL map finds it long before a visitor does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from qikbiz.kernel.errors import Forbidden
from qikbiz.kernel.permissions import AnyPermission, Permission

View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class AccessRule:
    """`permission` is the one that is checked; each exception from the pipeline's other checks is named.

    fresh: the password has to be given within the last quarter of an hour.
    from_anywhere: works outside the networks that the organisation allows, to sign out above all.
    while_blocked: strangers' addresses are not looked at. The view must have limits of its own.
    while_viewing_as: may be done during a preview of another user or role: to end it, and to sign out.
    read_only_ok: keeps people out, so it works while the account is closing: nobody waits up to 90 days for that.
    sealed_link: the right lies in the link itself. A mail program sends it without a page, a cookie or a form token
        (RFC 8058), and it works while an organisation is suspended or closing too.
    standalone: needs neither tenant nor person nor database, and answers while all of them are away.
    """

    permission: AnyPermission
    fresh: bool = False
    from_anywhere: bool = False
    while_blocked: bool = False
    while_viewing_as: bool = False
    read_only_ok: bool = False
    sealed_link: bool = False
    standalone: bool = False

    def __post_init__(self) -> None:
        if (self.sealed_link or self.standalone) and not self.is_public:
            raise ValueError("A view that asks for nobody can't have a permission checked: declare it public.")
        if self.fresh and self.is_public:
            raise ValueError("A public view has no user whose password could be asked for.")

    @property
    def is_public(self) -> bool:
        return self.permission is Permission.PUBLIC


def access(permission: AnyPermission, **exceptions: bool) -> Callable[[View], View]:
    """Declare a view's rule; `exceptions` are the fields of AccessRule."""
    rule = AccessRule(permission, **exceptions)

    def declare(view: View) -> View:
        vars(view)["access_rule"] = rule
        return view

    return declare


def rule_of(view: Callable[..., object]) -> AccessRule:
    """Raises Forbidden for a view that declared nothing: fails closed."""
    rule = vars(view).get("access_rule")
    if not isinstance(rule, AccessRule):
        raise Forbidden("This page declares no permission, so it is not served.")
    return rule


def permission_of(view: Callable[..., object]) -> AnyPermission | None:
    """The permission that the view declared, or None."""
    rule = vars(view).get("access_rule")
    return rule.permission if isinstance(rule, AccessRule) else None
