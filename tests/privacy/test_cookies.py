"""P1: all cookies come from one registry, the cookie page is generated from it, and no other is ever set."""

from __future__ import annotations

import html
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from qikbiz.web.cookies import COOKIES, SESSION, Cookie
from tests.cookie_watch.sitecustomize import JOURNAL
from tests.fixtures.cookies import complaints_about
from tests.fixtures.web import Browser

ROOT = Path(__file__).parents[2]
GOOD = "Secure; HttpOnly; Path=/; SameSite=Lax"
EXAMPLE = """
from qikbiz.app.application import create_app
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from tests.fixtures.servers import settings_for

def test_it(tmp_path):
    app = create_app(settings_for(tmp_path))

    @access(Permission.PUBLIC, standalone=True)
    def view():
        from flask import Response
        return Response("Here", headers={{"Set-Cookie": "{header}"}})

    app.add_url_rule("/rogue", "rogue_for_test", view, subdomain="site")
    assert app.test_client().get("/rogue", base_url="http://localhost").status_code == 200
"""
# The same in a second: its answer passes the wrapper of the class, and nothing else of the application.
BARE_EXAMPLE = """
from flask import Response
from qikbiz.app.request_pipeline import QikBiz

def test_it():
    app = QikBiz("example")
    app.wsgi_app = Response("Here", headers={{"Set-Cookie": "{header}"}})
    assert app.test_client().get("/rogue", base_url="http://localhost").status_code == 200
"""
# Plugins that these runs don't use take two seconds of each process.
BARE_PYTEST = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.mark.promise("P1")
def test_the_page_names_every_registered_cookie_and_nothing_else(
    browser_at: Callable[[str], Browser], client_for: Callable[[str], Browser]
) -> None:
    pages = [
        browser_at("localhost").get("/cookies"),
        browser_at("acme.localhost").get("/cookies"),
        client_for("bob").get("/cookies"),
    ]
    for page in pages:
        assert page.status_code == 200
        assert page.text.count("<h2><code>") == len(COOKIES)
        for cookie in COOKIES:
            assert cookie.name in page.text
            assert cookie.meaning in html.unescape(page.text)


@pytest.mark.promise("P1")
def test_a_cookie_added_to_the_registry_appears_by_itself(
    browser_at: Callable[[str], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    from qikbiz.trust.privacy import cookie_page

    added = Cookie("__Host-Http-qb_x", "x", "Something that was added today.", timedelta(days=9))
    monkeypatch.setattr(cookie_page, "COOKIES", (*COOKIES, added))
    page = browser_at("localhost").get("/cookies").text
    assert "Something that was added today." in page
    assert "9 days" in page


def test_who_is_logged_in_sees_which_of_them_this_browser_holds(client_for: Callable[[str], Browser]) -> None:
    page = client_for("alice").get("/cookies").text
    assert page.count("<dd>Yes</dd>") >= 1
    assert page.count("<dd>No</dd>") >= 1


@pytest.mark.promise("P1")
def test_public_pages_set_no_cookie(browser_at: Callable[[str], Browser]) -> None:
    for path in ("/", "/privacy", "/promises", "/cookies", "/sign-in"):
        assert "Set-Cookie" not in browser_at("localhost").get(path).headers


@pytest.mark.parametrize(
    "header",
    [
        f"{SESSION.name}=x; {GOOD}",
        f"{SESSION.name}=; Max-Age=0; {GOOD}",
        f"__Host-Http-qb_r=x; Max-Age=2592000; {GOOD}",
        f"__Host-Http-qb_r=x; Max-Age=86400; {GOOD}",
        f"__Host-Http-qb_f=x; Max-Age=300; {GOOD}",
    ],
)
def test_what_is_registered_passes(header: str) -> None:
    assert complaints_about([header]) == []


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        (f"tracking=x; {GOOD}", "not registered"),
        (f"{SESSION.name}=x; HttpOnly; Path=/; SameSite=Lax", "secure"),
        (f"{SESSION.name}=x; Secure; Path=/; SameSite=Lax", "httponly"),
        (f"{SESSION.name}=x; Secure; HttpOnly; Path=/; SameSite=None", "samesite"),
        (f"{SESSION.name}=x; Secure; HttpOnly; Path=/", "samesite"),
        (f"{SESSION.name}=x; Secure; HttpOnly; Path=/app; SameSite=Lax", "path"),
        (f"{SESSION.name}=x; Domain=example.com; {GOOD}", "domain"),
        (f"{SESSION.name}=x; Max-Age=3600; {GOOD}", "stays for 3600"),
        (f"{SESSION.name}=x; Expires=Wed, 01 Jan 2031 00:00:00 GMT; {GOOD}", "it expires at"),
        (f"{SESSION.name}=; {GOOD}", "emptied"),
        (f"__Host-Http-qb_r=x; Max-Age=2592001; {GOOD}", "registered is 2592000"),
        (f"__Host-Http-qb_r=x; {GOOD}", "stays for the session"),
        (f"__Host-Http-qb_f=x; Max-Age=299; {GOOD}", "stays for 299"),
    ],
)
def test_what_differs_is_named(header: str, fault: str) -> None:
    assert any(fault in complaint for complaint in complaints_about([header]))


@pytest.mark.promise("P1")
@pytest.mark.parametrize(
    ("header", "code", "workers"),
    # That a good run of xdist's workers passes is what every run of all tests shows.
    [(f"{SESSION.name}=x; {GOOD}", 0, ()), (f"tracking=x; {GOOD}", 1, ()), (f"tracking=x; {GOOD}", 1, ("-n", "1"))],
    ids=["registered", "not registered", "not registered in a worker of xdist"],
)
def test_a_run_in_which_every_test_passed_fails_for_one_unregistered_cookie(
    tmp_path: Path, header: str, code: int, workers: tuple[str, ...]
) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.fixtures.cookies"]\n')
    (tmp_path / "test_example.py").write_text(BARE_EXAMPLE.format(header=header))
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-c", str(ROOT / "pyproject.toml")]
    command += [f"--rootdir={tmp_path}", *workers, str(tmp_path)]
    environment = os.environ | BARE_PYTEST
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == code
    assert ("tracking is not registered" in done.stdout) == bool(code)


def test_servers_that_tests_start_are_watched_as_well(tmp_path: Path) -> None:
    """They are processes of their own, started with an environment without our QIKBIZ_ variables."""
    journal = tmp_path / "journal"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QIKBIZ_")}
    (tmp_path / "server.py").write_text(
        EXAMPLE.format(header=f"tracking=x; {GOOD}") + f"\nfrom pathlib import Path\ntest_it(Path({str(tmp_path)!r}))\n"
    )
    path = os.pathsep.join([environment["PYTHONPATH"], str(ROOT / "platform"), str(ROOT)])
    own = {JOURNAL: str(journal), "PYTHONPATH": path}
    subprocess.run([sys.executable, str(tmp_path / "server.py")], env=environment | own, check=True)
    assert any("not registered" in complaint for complaint in complaints_about(journal.read_text().splitlines()))
