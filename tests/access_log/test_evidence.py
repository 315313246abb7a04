"""The page of promises shows an organisation its own log, blocks and questions, live."""

from __future__ import annotations

from collections.abc import Callable

from tests.fixtures.web import Browser


def test_an_organisation_s_own_figures_stand_beside_the_promises(
    client_for: Callable[[str], Browser], browser_at: Callable[[str], Browser]
) -> None:
    browser_at("acme.localhost").log_in("stranger@example.com", "something or other")
    page = client_for("alice").get("/promises").text
    for label in ("Sign-in events in 30 days", "Oldest full address kept", "Your requests"):
        assert f"{label}</dt><dd>" in page
    assert "The evidence could not be loaded" not in page
