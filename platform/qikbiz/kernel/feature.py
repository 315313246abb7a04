"""A feature is one object: what the rest of the product has to know of a package, said in its `feature.py`.

`app/features.py` lists the features in order and installs them; pages, models, navigation, permissions, jobs, periodic
work, the emails' categories and the evidence of promises are derived from that list. Deleting a package and its line
deletes the feature. What takes long to load is named as "module" or "module:attribute", so that a command that needs
none of it starts quickly; a test looks each of these names up.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import Literal, TypeVar

from qikbiz.kernel.job_kinds import JobKind, Periodic, check_jobs
from qikbiz.kernel.permissions import PageRight, Permission, StaffRole

Surface = Literal["tenant", "console", "site"]
Sidebar = Literal["tenant", "settings", "console"]
Value = TypeVar("Value")


class NotInstalled(RuntimeError):
    """This process installed no features, so nothing that they register may be relied on."""


@dataclass(frozen=True, slots=True)
class Pages:
    """A blueprint and the surface that serves it; None when its routes name theirs.

    `name` is another one for a blueprint that is served twice.
    """

    blueprint: str
    surface: Surface | None
    name: str | None = None
    in_production: bool = True


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """A line of a sidebar. `key` is what a page sets as `nav_active`; `permission` is the one its page asks for.

    Entries stand in the order of `position`; in settings those of a `group` stand together.
    """

    sidebar: Sidebar
    position: int
    key: str
    label: str
    icon: str
    endpoint: str
    permission: str = ""
    short: str = ""
    group: str = ""

    @property
    def short_label(self) -> str:
        return self.short or self.label


@dataclass(frozen=True, slots=True)
class Feature:
    """`name` is the package's. `setup` are functions that are given the Flask application; `hooks` are functions
    without arguments that register what lower packages call, run once when the features are installed.
    `permissions` are those that a tenant's roles may hold; `staff_permissions` gives the roles of staff that have one.
    Their names are members of one enumeration, so that mypy looks at each use of one.
    `jobs` gives each kind of job by its name, and `schedule` which of them are done periodically.
    `emails` gives each template's category. `evidence` names tuples of `kernel.evidence.Keeping`.
    """

    name: str
    pages: tuple[Pages, ...] = ()
    setup: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    navigation: tuple[NavigationEntry, ...] = ()
    permissions: tuple[PageRight, ...] = ()
    staff_permissions: Mapping[Permission, tuple[StaffRole, ...]] = field(default_factory=dict)
    jobs: Mapping[str, JobKind] = field(default_factory=dict)
    schedule: tuple[Periodic, ...] = ()
    emails: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()


_installed: tuple[Feature, ...] = ()
_program = ""


def install(features: tuple[Feature, ...], *, program: str = "") -> None:
    """Make `features` this process's and run their hooks in order. Raises ValueError where two claim one name.

    `program` is a module that installs the same features in another process and calls the function "module:name" that
    is its argument.
    """
    global _installed, _program
    if features == _installed:
        return
    names = [feature.name for feature in features]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"Installed twice: {', '.join(sorted(twice))}.")
    check_jobs([feature.jobs for feature in features], [entry for feature in features for entry in feature.schedule])
    for feature in features:
        for hook in feature.hooks:
            resolve_name(hook)()
    # Last: where a hook failed, nothing is taken for installed.
    _installed, _program = features, program


def installed() -> tuple[Feature, ...]:
    """Raises NotInstalled."""
    if not _installed:
        raise NotInstalled("Call qikbiz.app.features.install() first.")
    return _installed


def command_of(function: str) -> list[str]:
    """The command of another process that has the same features and calls `function` ("module:name").

    Raises NotInstalled.
    """
    if not _program:
        raise NotInstalled("No program was named that installs the features in another process.")
    return [sys.executable, "-m", _program, function]


def derived(make: Callable[[tuple[Feature, ...]], Value]) -> Callable[[], Value]:
    """A function that gives what `make` works out of the installed features, worked out once."""
    made: list[tuple[tuple[Feature, ...], Value]] = []

    def value() -> Value:
        features = installed()
        if not made or made[0][0] is not features:
            made[:] = [(features, make(features))]
        return made[0][1]

    return value


@derived
def load_models(features: tuple[Feature, ...]) -> list[object]:
    """Load the models of every feature, so that the metadata is whole."""
    return [resolve_name(module) for feature in features for module in feature.models]
