"""Promise P2: each way to end a session ends it at once, at every host, and a slower request does not bring it back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Blueprint

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from tests.accounts.conftest import Clock
from tests.accounts.test_sessions import change_tenant
from tests.fixtures.people import Person
from tests.fixtures.web import Browser
from tests.fixtures.world import World

pytestmark = pytest.mark.promise("P2")
IN, OUT = 200, 303
PAGE = "/slow-while-it-ends-for-test"


@dataclass
class Gate:
    """A page that has loaded its session, says so, and waits until it may answer."""

    loaded: threading.Event
    go_on: threading.Event


_gate = Gate(threading.Event(), threading.Event())


@pytest.fixture
def gate(app: QikBiz) -> Iterator[Gate]:
    if "slow_while_it_ends_for_test" not in app.blueprints:
        app._got_first_request = False
        app.register_blueprint(_slow_room(), subdomain="tenant")
    _gate.loaded.clear()
    _gate.go_on.clear()
    yield _gate
    _gate.go_on.set()


def _slow_room() -> Blueprint:
    pages = Blueprint("slow_while_it_ends_for_test", __name__)

    @pages.get(PAGE)
    @access(Permission.SIGNED_IN)
    def slow() -> str:
        _gate.loaded.set()
        assert _gate.go_on.wait(10)
        return "done"

    return pages


@dataclass
class Scene:
    """Dora works in `browser`, and in `elsewhere`; Adam is the other administrator of her organisation."""

    app: QikBiz
    dora: Person
    browser: Browser
    elsewhere: Browser
    adam: Browser
    clock: Clock

    def end_one(self) -> None:
        key = self.elsewhere.get("/profile/sessions").text.split('action="/profile/sessions/')[2].split("/end")[0]
        assert self.elsewhere.post(f"/profile/sessions/{key}/end").status_code == 303

    def change_password(self) -> None:
        form = {"old_password": self.dora.password, "password": "another horse stapled correctly"}
        assert self.elsewhere.post("/profile/password", form).status_code == 303

    def change_role(self) -> None:
        assert self.adam.post(f"/users/{self.dora.id}/role", {"role": "reader"}).status_code == 303

    def become(self, state: str) -> None:
        assert self.dora.tenant is not None
        change_tenant(self.app, self.dora.tenant.id, state=state, state_reason="")  # type: ignore[no-untyped-call]


# What ends it, which page is asked for afterwards, and how that is answered.
EVENTS: dict[str, tuple[Callable[[Scene], Any], str, int]] = {
    "logged out": (lambda scene: _copy(scene.browser).post("/logout"), "/", OUT),
    "ended from the list": (Scene.end_one, "/", OUT),
    "all others ended": (lambda scene: scene.elsewhere.post("/profile/sessions/end-others"), "/", OUT),
    "ended by an administrator": (lambda scene: scene.adam.post(f"/users/{scene.dora.id}/sessions/end-all"), "/", OUT),
    "new password": (Scene.change_password, "/", OUT),
    "smaller role": (Scene.change_role, "/users", 403),
    "login deactivated": (lambda scene: scene.adam.post(f"/users/{scene.dora.id}/closure"), "/", OUT),
    "organisation closed": (lambda scene: scene.become("closed"), "/", 410),
    "an hour without use": (lambda scene: scene.clock.move(minutes=61), "/", OUT),
    "thirteen hours": (lambda scene: scene.clock.move(hours=13), "/", OUT),
}


@pytest.fixture
def scene(
    app: QikBiz,
    fresh_tenant: Callable[..., Any],
    add_person: Callable[..., Person],
    log_in: Callable[..., Browser],
    clock: Clock,
) -> Scene:
    tenant = fresh_tenant()
    dora, adam = (add_person(tenant, name, "administrator") for name in ("Dora", "Adam"))
    return Scene(app, dora, log_in(dora), log_in(dora), log_in(adam), clock)


@pytest.mark.parametrize("event", EVENTS)
def test_what_has_ended_is_over_everywhere_and_stays_over(scene: Scene, gate: Gate, world: World, event: str) -> None:
    end, page, answer = EVENTS[event]
    stolen, waiting = _copy(scene.browser), _copy(scene.browser)
    assert stolen.get("/users").status_code == IN
    slow: list[int] = []
    thread = threading.Thread(target=lambda: slow.append(waiting.get(PAGE, check=False).status_code))
    thread.start()
    assert gate.loaded.wait(5)
    end(scene)
    assert _copy(stolen).get(page).status_code == answer
    gate.go_on.set()
    thread.join(10)
    assert slow == [IN]
    for browser in (stolen, waiting, scene.browser):
        assert _copy(browser).get(page).status_code == answer
    for host in (world.acme.tenant.host, world.globex.tenant.host):
        assert _copy(stolen, host).get("/").status_code == OUT


def _copy(browser: Browser, host: str | None = None) -> Browser:
    """A thief's browser: the same cookies, here or at another organisation."""
    other = Browser(browser.app, host or browser.host)
    for name, value in browser.cookies().items():
        other.set_cookie(name, value)
    return other
