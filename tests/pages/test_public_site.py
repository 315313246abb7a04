"""The public site: served without any server behind it, without cookies, and without naming our customers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import html5lib
import pytest
from flask.testing import FlaskClient

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.site.forms import slug_from
from qikbiz.site.styleguide import PAGES
from tests.fixtures.servers import settings_for


@pytest.mark.parametrize("path", ["/", "/privacy", "/promises", "/cookies", "/sign-in"])
def test_public_pages_are_whole_and_set_no_cookie(visitor: FlaskClient, path: str) -> None:
    response = visitor.get(path)
    assert response.status_code == 200
    html5lib.HTMLParser(strict=True).parse(response.text)
    assert response.text.count("<h1") == 1
    assert "Set-Cookie" not in response.headers
    assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]


def test_the_sign_in_page_leads_to_an_address_whether_or_not_it_exists(visitor: FlaskClient) -> None:
    for slug in ("acme", "no-such-organisation"):
        response = visitor.get("/sign-in", query_string={"organisation": slug})
        assert response.status_code == 302
        assert response.location == f"http://{slug}.localhost:8000/login"


@pytest.mark.parametrize(
    ("typed", "slug"),
    [
        ("acme", "acme"),
        ("  Acme ", "acme"),
        ("acme.qikbiz.example", "acme"),
        ("https://acme.qikbiz.example:8443/contacts?x=1", "acme"),
        ("acme.qikbiz.example.", "acme"),
        ("", None),
        ("acme.evil.example", None),
        ("evil.example/.qikbiz.example", None),
        ("https://evil.example#.qikbiz.example", None),
        ("https://acme@evil.example", None),
        ("a b", None),
        ("-acme", None),
        ("x" * 64, None),
        ("acme\r\nX: y", None),
        ("http://[::1", None),
    ],
)
def test_what_a_visitor_types_as_an_address(typed: str, slug: str | None) -> None:
    assert slug_from(typed, "qikbiz.example") == slug


def test_an_address_that_can_not_be_one_is_explained_and_kept(visitor: FlaskClient) -> None:
    response = visitor.get("/sign-in", query_string={"organisation": "what is this?"})
    assert response.status_code == 400
    assert 'value="what is this?"' in response.text
    assert 'aria-invalid="true"' in response.text


def test_security_txt_expires_in_less_than_a_year(visitor: FlaskClient) -> None:
    lines = dict(line.split(": ", 1) for line in visitor.get("/.well-known/security.txt").text.splitlines())
    expires = datetime.fromisoformat(lines["Expires"])
    assert timedelta(days=30) < expires - datetime.now(UTC) < timedelta(days=365)
    assert lines["Contact"].startswith("mailto:")


def test_password_managers_find_the_page_for_a_new_password(site_app: QikBiz) -> None:
    found = {str(rule) for rule in site_app.url_map.iter_rules() if rule.subdomain == "tenant"}
    assert "/.well-known/change-password" in found


def test_robots_stay_away_from_the_console(visitor: FlaskClient) -> None:
    assert visitor.get("/robots.txt", headers={"Host": "console.localhost"}).text == "User-agent: *\nDisallow: /\n"


def test_robots_see_the_public_pages_only(visitor: FlaskClient) -> None:
    assert "Disallow: /\n" in visitor.get("/robots.txt").text


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_the_style_guide_is_valid(visitor: FlaskClient, page: str) -> None:
    response = visitor.get(f"/styleguide/{page}")
    assert response.status_code == 200
    html5lib.HTMLParser(strict=True).parse(response.text)
    assert response.text.count("<h1") == 1


def test_the_style_guide_is_not_part_of_production(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from dataclasses import replace

    from qikbiz.app.application import create_app

    app = create_app(replace(settings_for(tmp_path), environment="production"))  # type: ignore[arg-type]
    assert not [rule for rule in app.url_map.iter_rules() if str(rule).startswith("/styleguide")]
    app.extensions["qikbiz"].dispose()
