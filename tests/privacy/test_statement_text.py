"""What the statement has to say in so many words, and what stands beside it: who runs the service, where, with whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from config.operator import Operator, OperatorUnknown, operator_of, refuse_unknown
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.trust.privacy.bundled_versions import founding_statement
from tests.fixtures.statements import Notary
from tests.fixtures.web import Browser

GIVEN = {
    "QIKBIZ_COMPANY_NAME": "Example <CRM> Ltd",
    "QIKBIZ_COMPANY_ADDRESS": "1 Example Street, Dublin 2, Ireland",
    "QIKBIZ_HOSTING": "Frankfurt, Germany",
    "QIKBIZ_SUBPROCESSORS": "Example Mail Ltd (Dublin): sends emails; Example Hosting AG (Zurich): keeps back-ups",
}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param("P6", ("accuracy", "appropriate use", "overwritten unseen"), marks=pytest.mark.promise("P6")),
        pytest.param(
            "P12", ("do not use it", "make it available", "unless you permit"), marks=pytest.mark.promise("P12")
        ),
        pytest.param(
            "P19", ("We may change this statement.", "thirty business days"), marks=pytest.mark.promise("P19")
        ),
    ],
)
def test_the_sentence_says_what_is_promised(number: str, words: tuple[str, ...]) -> None:
    sentence = founding_statement().text.promises[number]
    assert [word for word in words if word not in sentence] == []


@pytest.mark.promise("P19")
def test_the_right_to_change_the_statement_is_said_beside_the_notice(
    notary: Notary, browser_at: Callable[[str], Browser]
) -> None:
    notary.announce()
    for path in ("/", "/privacy/changes"):
        page = " ".join(browser_at("localhost").get(path).text.split())
        assert "We may change" in page and "See what will change" in page, path


def test_the_page_shows_company_address_hosting_and_sub_processors(
    app: QikBiz, browser_at: Callable[[str], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = app.extensions["qikbiz"]
    assert "set before it can run in production" in browser_at("localhost").get("/privacy").text
    monkeypatch.setattr(runtime, "settings", replace(runtime.settings, operator=operator_of(GIVEN)))
    page = browser_at("localhost").get("/privacy").text
    for words in ("Example &lt;CRM&gt; Ltd", "1 Example Street", "Frankfurt", "Example Mail Ltd", "Example Hosting AG"):
        assert words in page
    none = operator_of(GIVEN | {"QIKBIZ_SUBPROCESSORS": "None"})
    assert none.is_known and none.subprocessors == ()
    monkeypatch.setattr(runtime, "settings", replace(runtime.settings, operator=none))
    assert "No third party handles your data" in browser_at("localhost").get("/privacy").text


@pytest.mark.parametrize("name", GIVEN)
def test_whatever_is_missing_is_named(name: str) -> None:
    refuse_unknown(operator_of(GIVEN))
    for empty in ("", "  ", ";"):
        given = GIVEN | {name: empty}
        if empty == ";" and name != "QIKBIZ_SUBPROCESSORS":
            continue
        with pytest.raises(OperatorUnknown, match=f"{name} is not set"):
            refuse_unknown(operator_of(given))
    with pytest.raises(OperatorUnknown, match=name):
        operator_of(GIVEN | {name: "a\x00b"})
    assert not Operator().is_known
