"""Pages are compressed where their length can't show a secret to another site."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from flask import Flask, Response

from qikbiz.web import compression
from qikbiz.web.compression import MOST_PADDING, padded_gzip
from tests.fixtures.web import Browser

GZIP = {"Accept-Encoding": "gzip, deflate, br, zstd"}
OWN = {**GZIP, "Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize("path", ["/contacts", "/audit", "/promises"])
def test_a_page_one_comes_to_oneself_is_compressed_and_whole(client_for: Callable[[str], Browser], path: str) -> None:
    alice = client_for("alice")
    plain = alice.get(path, headers={"Sec-Fetch-Site": "none"})
    for site in ("same-origin", "none"):
        page = alice.get(path, headers={**GZIP, "Sec-Fetch-Site": site}, check=False)
        assert page.headers["Content-Encoding"] == "gzip"
        assert int(page.headers["Content-Length"]) == len(page.data) < len(plain.data) / 3
        assert "Accept-Encoding" in page.vary and "Cookie" in page.vary
        # Nothing but the masked tokens and references differs between two loads.
        assert abs(len(gzip.decompress(page.data)) - len(plain.data)) < 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
@pytest.mark.parametrize(("who", "host"), [("alice", "/contacts?q=secret"), ("olivia", "/audit?q=secret")])
def test_a_page_that_another_site_may_have_asked_for_has_its_own_length(
    client_for: Callable[[str], Browser], who: str, host: str, site: str | None
) -> None:
    headers = GZIP if site is None else {**GZIP, "Sec-Fetch-Site": site}
    page = client_for(who).get(host, headers=headers)
    assert page.status_code == 200 and "Content-Encoding" not in page.headers


def test_the_public_site_is_compressed_for_everybody(browser_at: Callable[[str], Browser]) -> None:
    page = browser_at("localhost").get("/privacy", headers={**GZIP, "Sec-Fetch-Site": "cross-site"}, check=False)
    assert page.headers["Content-Encoding"] == "gzip"
    assert b"P1" in gzip.decompress(page.data)


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "identity"])
def test_who_does_not_ask_for_it_gets_it_plain(browser_at: Callable[[str], Browser], accepted: str) -> None:
    page = browser_at("localhost").get("/privacy", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in page.headers and "Accept-Encoding" in page.vary


def test_errors_and_forms_that_come_back_are_compressed_too(client_for: Callable[[str], Browser]) -> None:
    alice = client_for("alice")
    assert alice.get("/nothing-here", headers=OWN, check=False).headers["Content-Encoding"] == "gzip"
    wrong = alice.post("/contacts", {"emails-0-address": "no address"}, headers=OWN, check=False)
    assert wrong.status_code == 422 and b"no address" in gzip.decompress(wrong.data)


@pytest.mark.parametrize(
    "changed",
    [
        {"status": 304},
        {"status": 204},
        {"mimetype": "application/zip"},
        {"headers": {"Content-Encoding": "br"}},
        {"headers": {"Cache-Control": "no-transform"}},
        {"response": b"short"},
        {"response": iter([b"x" * 5000])},
        {"direct_passthrough": True},
    ],
)
def test_what_is_small_streamed_or_compressed_already_is_let_be(changed: dict[str, object]) -> None:
    given = Response(**{"response": b"x" * 5000, "mimetype": "text/html", **changed})  # type: ignore[arg-type]
    with Flask("x").test_request_context(headers=GZIP):
        before = None if given.is_streamed else given.data if not given.direct_passthrough else None
        after = compression.compress(given)
    assert after.headers.get("Content-Encoding") in (None, "br")
    assert before is None or after.data == before


def test_a_head_request_has_no_body_to_compress() -> None:
    with Flask("x").test_request_context(method="HEAD", headers=GZIP):
        assert "Content-Encoding" not in compression.compress(Response(b"x" * 5000, mimetype="text/html")).headers


def test_every_answer_is_longer_by_a_random_amount_and_reads_back_the_same() -> None:
    body = "Jiří and Zoë ".encode() * 500
    made = [padded_gzip(body) for _ in range(200)]
    assert {gzip.decompress(one) for one in made} == {body}
    lengths = {len(one) for one in made}
    assert len(lengths) > 40 and max(lengths) - min(lengths) < MOST_PADDING
