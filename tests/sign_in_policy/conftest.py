"""Paula and Otto of an organisation of their own, with the clock that logins look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.accounts.conftest import clock, rows_of, without_redis
from tests.fixtures.web import Browser

__all__ = ["clock", "rows_of", "without_redis"]
PAGE = "/settings/sign-in-policy"
AS_IT_IS = {
    "least_characters": "15",
    "factor_for": "nobody",
    "idle_minutes": "60",
    "absolute_hours": "12",
    "remember_days": "30",
    "networks": "",
}


@pytest.fixture
def paula(fresh_tenant, add_person):
    return add_person(fresh_tenant("Initech"), "Paula", "administrator")


@pytest.fixture
def otto(paula, add_person):
    return add_person(paula.tenant, "Otto", "member")


@pytest.fixture
def set_policy(log_in, paula) -> Callable[..., Browser]:
    """A function by which Paula saves a policy; it returns her browser."""
    browser = log_in(paula)

    def save(**changed: Any) -> Browser:
        answer = browser.post(PAGE, AS_IT_IS | changed)
        assert answer.status_code in (200, 303), answer.text
        return browser

    return save
