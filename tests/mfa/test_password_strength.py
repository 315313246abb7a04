"""Promise P10: a meter in words and a bar, by the rules of the server, and the range service only where it is named."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from config.settings import SettingsError, load_settings
from qikbiz.app.application import create_app
from qikbiz.identity.passwords import acceptance, breached_passwords
from qikbiz.identity.sign_in_policy.rules import Policy
from tests.fixtures.web import Browser

LEAKED_ONE, FINE_ONE = "quiet lantern harbour leaked", "quiet lantern harbour marble"
ASKING = Policy(asks_range_service=True)


def _meter(browser, password, **more):
    return browser.post("/password-strength", {"password": password, **more}).get_json()


@pytest.mark.promise("P10")
def test_the_meter_goes_from_not_accepted_to_very_good_in_words(browser_at):
    browser = browser_at("acme.localhost")
    assert _meter(browser, "short") | {"text": ""} == {"level": 0, "word": "Not accepted", "text": ""}
    assert "at least 15 characters" in _meter(browser, "short")["text"]
    good = _meter(browser, "violet thimble canyon orchard seventeen")
    assert (good["level"], good["word"]) == (4, "Very good")
    levels = [_meter(browser, text)["level"] for text in ("abcabcabcabcabcabc", "monkeys and dragons", FINE_ONE)]
    assert levels == sorted(levels)


@pytest.mark.promise("P10")
def test_it_says_what_the_form_will_say(browser_at):
    browser = browser_at("acme.localhost")
    for text in ("Acme Industrial 2026!", "a" * 15, "passwordpassword", "x\x00" * 10, "x" * 2000):
        assert _meter(browser, text)["level"] == 0, text[:30]
    assert _meter(browser, "wilhelmina wilhelmina", name="Wilhelmina", email="w@example.com")["level"] == 0


def test_it_says_nothing_about_nothing_and_needs_the_forms_token(browser_at):
    browser = browser_at("acme.localhost")
    assert _meter(browser, "") == {"level": 0, "word": "", "text": ""}
    assert browser.post("/password-strength", {"password": "x"}, csrf=False).status_code == 403
    assert browser.get("/password-strength").status_code == 405


@pytest.mark.promise("P10")
def test_without_scripts_the_same_verdict_comes_with_the_form(log_in, world):
    browser = log_in(world.ben)
    page = browser.get("/profile/password").text
    assert 'data-strength="/password-strength"' in page
    assert "At least 15 characters" in page
    sent = browser.post("/profile/password", {"old_password": world.ben.password, "password": "a" * 15})
    assert sent.status_code == 422
    assert "simple pattern" in sent.text


class Range(BaseHTTPRequestHandler):
    """Answers as the range service does; `mode` makes it slow, broken or unreadable."""

    mode = "good"
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        type(self).asked.append((self.path, self.headers.get("Add-Padding")))
        if self.mode == "hangs":
            time.sleep(breached_passwords.SECONDS + 1)
        self.send_response(500 if self.mode == "broken" else 200)
        self.end_headers()
        digest = hashlib.sha1(LEAKED_ONE.encode(), usedforsecurity=False).hexdigest().upper()
        padded = hashlib.sha1(FINE_ONE.encode(), usedforsecurity=False).hexdigest().upper()
        body = f"{'0' * 35}:7\r\n{digest[5:]}:42\r\n{padded[5:]}:0\r\n" if self.mode == "good" else "\xff\xfe"
        try:
            self.wfile.write(body.encode("latin-1"))
        except OSError:
            return

    def log_message(self, *_arguments: object) -> None:
        return


@pytest.fixture
def service(world) -> Iterator[tuple[type[Range], object]]:
    handler = type("OneRange", (Range,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/range/"
    application = create_app(replace(world.settings, leaked_passwords_url=url), process="tests-leaks")
    yield handler, application
    application.extensions["qikbiz"].dispose()
    server.shutdown()


@pytest.mark.promise("P10")
def test_five_characters_are_asked_about_and_padding_counts_for_nothing(service):
    handler, application = service
    with application.app_context():
        assert acceptance.problem_with(LEAKED_ONE, policy=ASKING) == breached_passwords.LEAKED
        assert acceptance.problem_with(FINE_ONE, policy=ASKING) is None
    digest = hashlib.sha1(LEAKED_ONE.encode(), usedforsecurity=False).hexdigest().upper()
    assert handler.asked[0] == (f"/range/{digest[:5]}", "true")
    assert all(len(path) == len("/range/") + 5 for path, _padding in handler.asked)


@pytest.mark.promise("P10")
def test_nobody_is_asked_unless_the_organisation_wants_it_and_never_while_typing(service):
    handler, application = service
    with application.app_context():
        assert acceptance.problem_with(LEAKED_ONE) is None
    browser = Browser(application, "acme.localhost")
    assert _meter(browser, LEAKED_ONE)["level"] > 0
    assert handler.asked == []


@pytest.mark.promise("P10")
@pytest.mark.parametrize("mode", ["hangs", "broken", "unreadable"])
def test_a_service_that_does_not_answer_locks_nobody_out_and_is_in_the_log(service, mode, caplog):
    handler, application = service
    handler.mode = mode
    with application.app_context(), caplog.at_level(logging.WARNING):
        assert acceptance.problem_with(LEAKED_ONE, policy=ASKING) is None
    assert [record.message for record in caplog.records] == ["leaked_passwords_not_asked"]


def test_without_an_address_nothing_is_asked(app):
    with app.app_context():
        assert not breached_passwords.is_available()
        assert acceptance.problem_with(LEAKED_ONE, policy=ASKING) is None


def test_production_takes_only_https(tmp_path):
    given = {"QIKBIZ_ENV": "test", "QIKBIZ_HOME": str(tmp_path), "QIKBIZ_LEAKED_PASSWORDS_URL": "ftp://x/"}
    with pytest.raises(SettingsError):
        load_settings(given)
    taken = load_settings(given | {"QIKBIZ_LEAKED_PASSWORDS_URL": "https://leaks.example/range"})
    assert taken.leaked_passwords_url == "https://leaks.example/range/"
