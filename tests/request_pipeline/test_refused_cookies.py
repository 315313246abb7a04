"""P4: the page for a browser that refuses cookies says how to allow them; it is never redirected in a circle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from werkzeug.test import Client, TestResponse

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.kernel import clock
from qikbiz.web.cookie_instructions import BROWSERS, help_for
from tests.fixtures.page_checks import check_page, csrf_token_in
from tests.fixtures.web import Browser
from tests.fixtures.world import World

pytestmark = pytest.mark.promise("P4")
SESSION, VISIT = "__Host-Http-qb_s", "__Host-Http-qb_v"
SAYS_SO = "Your browser blocks our cookies"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


class Forgetful:
    """A browser that keeps only the cookies named; it follows every redirect, as browsers do."""

    def __init__(self, app: QikBiz, host: str, keeps: frozenset[str] = frozenset()) -> None:
        self._client = Client(app, use_cookies=False)
        self._host, self._keeps = host, keeps
        self._held: dict[str, str] = {}
        self.steps = 0

    def open(self, path: str, **options: object) -> TestResponse:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._held.items()), "User-Agent": CHROME}
        environ = {"REMOTE_ADDR": "10.250.1.7"}
        answer = self._client.open(
            path, base_url=f"https://{self._host}", headers=headers, environ_base=environ, **options
        )  # type: ignore[call-overload]  # the options are the client's own
        self._keep(answer)
        self.steps += 1
        assert self.steps < 10, "it goes round and round"
        return self.open(answer.location) if answer.status_code in (302, 303) else answer

    def log_in(self, email: str, password: str, target: str = "/") -> TestResponse:
        token = csrf_token_in(self.open("/login").text)
        form = {"email": email, "password": password, "next": target, "csrf_token": token}
        return self.open("/login", method="POST", data=form)

    def _keep(self, answer: TestResponse) -> None:
        for header in answer.headers.getlist("Set-Cookie"):
            name, _, rest = header.partition("=")
            if name in self._keeps:
                self._held[name] = rest.partition(";")[0]


@pytest.mark.parametrize("keeps", [frozenset(), frozenset({VISIT})], ids=["no cookie at all", "all but the session"])
@pytest.mark.parametrize("target", ["/", "/contacts?sort=name"])
def test_logging_in_ends_at_a_page_that_says_so_and_how_to_allow_them(
    app: QikBiz, world: World, keeps: frozenset[str], target: str
) -> None:
    page = Forgetful(app, "acme.localhost", keeps).log_in(world.alice.email, world.alice.password, target)
    check_page(page)
    assert page.status_code == 403
    assert SAYS_SO in page.text
    assert "Sign in again" in page.text
    for browser in BROWSERS:
        assert browser.name in page.text
        assert all(step.split("“")[0] in page.text for step in browser.steps)
    assert 'name="password"' not in page.text, "not the login once more"


def test_staff_are_told_as_well(app: QikBiz, world: World) -> None:
    page = Forgetful(app, "console.localhost").log_in(world.olivia.email, world.olivia.password)
    assert SAYS_SO in page.text


def test_refusing_cookies_never_blocks_an_address(app: QikBiz, world: World) -> None:
    for _ in range(15):
        page = Forgetful(app, "acme.localhost").log_in(world.alice.email, world.alice.password)
        assert SAYS_SO in page.text


def test_the_visitors_own_browser_stands_first_and_open(app: QikBiz, world: World) -> None:
    page = Forgetful(app, "acme.localhost").log_in(world.alice.email, world.alice.password).text
    assert page.index("Google Chrome") < page.index("Firefox")
    assert page.count('<details class="typed cookie-help" open>') == 1
    assert help_for("something unheard of") == BROWSERS


def test_who_keeps_cookies_is_never_told_so(log_in: Callable[..., Browser], world: World) -> None:
    browser = log_in(world.alice)
    assert SAYS_SO not in browser.get("/").text


def test_after_logging_out_the_way_back_leads_to_the_login(log_in: Callable[..., Browser], world: World) -> None:
    browser = log_in(world.alice)
    browser.post("/logout")
    answer = browser.get("/contacts")
    assert (answer.status_code, answer.location) == (303, "/login?next=%2Fcontacts")
    assert browser.log_in(world.alice.email, world.alice.password).status_code == 303


def test_a_session_that_was_ended_leads_to_the_login(log_in: Callable[..., Browser], world: World) -> None:
    first, second = log_in(world.ben), log_in(world.ben)
    second.post("/profile/sessions/end-others")
    for _ in range(3):
        assert first.get("/contacts").location == "/login?next=%2Fcontacts"


def test_a_minute_after_the_login_a_missing_session_is_only_missing(
    log_in: Callable[..., Browser], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = log_in(world.alice)
    browser.forget_cookie(SESSION)
    assert SAYS_SO in browser.get("/contacts").text
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert browser.get("/contacts").status_code == 303


def test_programs_get_an_answer_that_programs_read(browser_at: Callable[[str], Browser]) -> None:
    browser = browser_at("acme.localhost")
    token = browser.csrf_token()
    browser.forget_cookie(VISIT)
    headers = {"Accept": "application/json"}
    answer = browser.post("/login", {"email": "x", "password": "x", "csrf_token": token}, headers=headers)
    assert answer.status_code == 403
    assert answer.get_json()["key"] == "cookies_refused"


def test_an_invented_moment_in_the_visit_is_not_believed(browser_at: Callable[[str], Browser]) -> None:
    browser = browser_at("acme.localhost")
    browser.set_cookie(VISIT, "AAAA" * 20)
    assert browser.get("/contacts").status_code == 303
