"""Every staff act is in the platform's audit: no route of the console that changes something gets by without."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qikbiz.audit.actions import record_on_platform
from qikbiz.web.csrf import SAFE_METHODS

# Routes that change nothing but the person's own page, or only prepare an act that is recorded itself.
EXCUSED = {
    "staff.change_profile": "Name, time zone and colours of one's own page.",
    "staff.password_strength": "Judges a password and keeps nothing.",
    "staff.passkey_question": "Asks the device; the login that follows is recorded.",
    "staff.second_step_question": "Asks the device; the login that follows is recorded.",
    "staff.set_up_question": "Asks the device; the new passkey is recorded.",
    "staff.confirm_question": "Asks the device; what is confirmed is recorded.",
    "staff.new_passkey_question": "Asks the device; the new passkey is recorded.",
    "staff.confirm_password": "Makes one's own session fresh; what it is fresh for is recorded.",
    "staff.ask_for_password_link": "The same for every name; the worker records it when a link leaves.",
    "staff.confirm_by_passkey": "Makes one's own session fresh; what it is fresh for is recorded.",
}


def _changing(app) -> dict[str, Callable[..., Any]]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.subdomain == "console"]
    return {rule.endpoint: app.view_functions[rule.endpoint] for rule in rules if rule.methods - SAFE_METHODS}


def reaches(view: Callable[..., Any], wanted: Callable[..., Any]) -> bool:
    """Whether some chain of our own functions, by the names that their code uses, leads from `view` to `wanted`."""
    seen, waiting = set(), [view]
    while waiting:
        function = waiting.pop()
        if function is wanted:
            return True
        if id(function) not in seen:
            seen.add(id(function))
            waiting.extend(_called(function))
    return False


def _called(function: Any) -> Iterator[Any]:
    function = getattr(function, "__wrapped__", function)
    code, names = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    for name in _names(code) if code else ():
        found = names.get(name)
        if isinstance(found, types.ModuleType) and found.__name__.startswith(("qikbiz", "workers", "provisioning")):
            yield from (getattr(found, inner) for inner in _names(code) if _is_ours(getattr(found, inner, None)))
        elif _is_ours(found):
            yield found


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _is_ours(found: Any) -> bool:
    return callable(found) and (getattr(found, "__module__", "") or "").startswith("qikbiz")


def test_every_route_of_the_console_that_changes_something_writes_into_the_platforms_audit(app):
    silent = {
        endpoint
        for endpoint, view in _changing(app).items()
        if endpoint not in EXCUSED and "for_test" not in endpoint and not reaches(view, record_on_platform)
    }
    assert silent == set(), "Record these acts with record_on_platform, or excuse them here with the reason."


def test_nothing_is_excused_that_is_not_there(app):
    assert set(EXCUSED) - set(_changing(app)) == set()


def test_the_look_would_find_a_route_that_records_nothing():
    def silent() -> str:
        return "changed something"

    assert not reaches(silent, record_on_platform)


@pytest.mark.parametrize("endpoint", ["staff.logout", "console.suspend_tenant"])
def test_the_look_finds_what_is_recorded(app, endpoint):
    found = _changing(app).get(endpoint)
    if found is None:
        pytest.fail(f"{endpoint} is no longer there; name another.")
    assert reaches(found, record_on_platform)
