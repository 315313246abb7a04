"""Paula administers Initech, Otto works there, and Initech has an identity provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.accounts.conftest import clock, rows_of, without_redis
from tests.fixtures.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from tests.fixtures.web import Browser
from tests.sign_in_policy.conftest import AS_IT_IS, otto, paula

__all__ = ["AS_IT_IS", "clock", "otto", "paula", "rows_of", "without_redis"]
PAGE = "/settings/single-sign-on"


def form_for(provider: IdentityProvider, **changed: str) -> dict[str, str]:
    return {
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "label": "Initech ID",
    } | changed


def begin(browser: Browser, target: str = "/") -> str:
    """The provider's address to which the button redirects."""
    answer = browser.get(f"/login/sso?next={target}")
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def come_back(browser: Browser, url: str) -> TestResponse:
    parts = urlsplit(url)
    return browser.get(f"{parts.path}?{parts.query}")


@pytest.fixture
def provider(identity_provider, paula, log_in) -> IdentityProvider:
    """Initech's provider, set up by Paula and switched on."""
    browser = log_in(paula)
    assert browser.post(PAGE, form_for(identity_provider)).status_code == 303
    assert browser.post(f"{PAGE}/switch").status_code == 303
    return identity_provider


@pytest.fixture
def sign_on(provider, app, paula) -> Callable[..., tuple[Browser, TestResponse]]:
    """A function by which a new browser goes the whole way: sign_on(email="otto@…"); gives it and the answer."""

    def go(browser: Browser | None = None, **claims: Any) -> tuple[Browser, TestResponse]:
        browser = browser or Browser(app, paula.tenant.host)
        return browser, come_back(browser, provider.sends_back(begin(browser), **claims))

    return go
