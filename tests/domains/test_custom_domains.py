"""An administrator brings a domain of the organisation's own: claimed, proved in the DNS, served, given up (P7)."""

from __future__ import annotations

import re

import pytest

from tests.domains.conftest import NameServer

HOST = "crm.acme-industrial.com"
PROOF = f"_qikbiz.{HOST}"


@pytest.fixture
def alice(client_for):
    return client_for("alice")


def claim(browser, host=HOST):
    return browser.follow(browser.post("/domains", {"host": host}))


def value_to_prove(page):
    return re.search(r"<code>(qikbiz-domain=[0-9a-f]{32})</code>", page.text)[1]


def prove(name_server, page, host=HOST):
    name_server.texts[f"_qikbiz.{host}"] = ["v=spf1 -all", value_to_prove(page)]


def serve(browser, name_server, host=HOST):
    """The whole way, and a look of the directory at once instead of within half a second."""
    prove(name_server, claim(browser, host), host)
    page = browser.follow(browser.post(f"/domains/{host}/verification"))
    browser.app.extensions["qikbiz"].directory.look()
    return page


def status_at(app, host, path="/login"):
    return app.test_client().get(path, base_url=f"https://{host}").status_code


def test_without_a_domain_the_page_says_what_one_is_good_for(alice):
    page = alice.get("/domains")
    assert "No custom domains" in page.text
    assert "acme.localhost" in page.text


@pytest.mark.promise("P7")
def test_a_claim_is_not_served_before_it_is_proved(alice, app, name_server):
    page = claim(alice)
    assert "Not verified" in page.text
    assert PROOF in page.text
    app.extensions["qikbiz"].directory.look()
    assert status_at(app, HOST) == 404


@pytest.mark.promise("P7")
def test_a_proved_domain_is_served_and_logs_its_own_people_in(alice, app, world, name_server, browser_at):
    page = serve(alice, name_server)
    assert "Active" in page.text
    there = browser_at(HOST)
    entered = there.log_in(world.ben.email, world.ben.password)
    assert entered.status_code == 303
    assert there.get("/contacts").status_code == 200


@pytest.mark.promise("P7")
def test_the_session_of_one_name_is_none_at_the_other(alice, app, name_server, browser_at):
    serve(alice, name_server)
    stolen = "; ".join(f"{name}={value}" for name, value in alice.cookies().items())
    assert browser_at(HOST).send_cookie_header(stolen, "/contacts").status_code == 303


@pytest.mark.promise("P7")
@pytest.mark.parametrize("texts", [[], ["something else"], ["qikbiz-domain="], ["qikbiz-domain=" + "0" * 32]])
def test_what_proves_nothing_is_named_and_nothing_is_served(alice, app, name_server, texts):
    claim(alice)
    if texts:
        name_server.texts[PROOF] = texts
    answer = alice.post(f"/domains/{HOST}/verification")
    assert answer.status_code == 409
    assert ("no TXT record" if not texts else texts[0]) in answer.text
    app.extensions["qikbiz"].directory.look()
    assert status_at(app, HOST) == 404


@pytest.mark.promise("P7")
def test_the_proof_of_another_organisation_proves_nothing(alice, client_for, app, name_server):
    theirs = claim(client_for("mallory"))
    claim(alice)
    name_server.texts[PROOF] = [value_to_prove(theirs)]
    assert alice.post(f"/domains/{HOST}/verification").status_code == 409


@pytest.mark.promise("P7")
def test_a_claim_blocks_nobody_and_the_first_proof_wins(alice, client_for, name_server):
    mallory = client_for("mallory")
    theirs = claim(mallory)
    assert "Active" in serve(alice, name_server).text
    name_server.texts[PROOF].append(value_to_prove(theirs))
    late = mallory.post(f"/domains/{HOST}/verification")
    assert late.status_code == 409
    assert "belongs to another workspace" in late.text
    assert mallory.post("/domains", {"host": "crm.acme-industrial.com."}).status_code == 303  # her own old claim
    assert "belongs to another workspace" in mallory.post(f"/domains/{HOST}/verification").text


@pytest.mark.promise("P7")
def test_a_name_in_use_can_not_be_claimed_anew(alice, client_for, name_server):
    serve(alice, name_server)
    refused = client_for("mallory").post("/domains", {"host": HOST})
    assert refused.status_code == 409
    assert "belongs to another workspace" in refused.text


@pytest.mark.parametrize("state", ["failing", "silent"])
def test_name_servers_that_are_away_are_said_to_be(alice, name_server, state):
    claim(alice)
    setattr(name_server, state, True)
    answer = alice.post(f"/domains/{HOST}/verification")
    assert answer.status_code == 503
    assert "did not answer" in answer.text


def test_asking_again_changes_nothing(alice, name_server):
    first = value_to_prove(claim(alice))
    assert value_to_prove(claim(alice)) == first
    serve(alice, name_server)
    asked = len(name_server.asked)
    again = alice.post(f"/domains/{HOST}/verification")
    assert again.status_code == 303
    assert len(name_server.asked) == asked


@pytest.mark.promise("P7")
def test_a_removed_domain_is_gone_at_once_and_must_be_proved_anew(alice, app, name_server):
    proof = name_server.texts
    serve(alice, name_server)
    old = proof[PROOF]
    assert alice.post(f"/domains/{HOST}/removal").status_code == 303
    app.extensions["qikbiz"].directory.look()
    assert status_at(app, HOST) == 404
    assert alice.post(f"/domains/{HOST}/removal").status_code == 404
    claim(alice)
    proof[PROOF] = old
    assert alice.post(f"/domains/{HOST}/verification").status_code == 409


def test_whoever_removes_the_name_under_which_they_look_is_led_to_the_other(alice, browser_at, world, name_server, app):
    serve(alice, name_server)
    there = browser_at(HOST)
    there.log_in(world.alice.email, world.alice.password)
    answer = there.post(f"/domains/{HOST}/removal")
    assert answer.location.endswith("://acme.localhost:8000/domains")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a valid domain"),
        ("crm acme com", "a valid domain"),
        ("-crm.acme.com", "a valid domain"),
        ("*.acme.com", "a valid domain"),
        ("crm.acme.com:8443x", "a valid domain"),
        ("10.0.0.1", "a valid domain"),
        ("[::1]", "a valid domain"),
        ("a" * 64 + ".acme.com", "a valid domain"),
        ("<script>.acme.com", "a valid domain"),
        ("localhost", "belongs to QikBiz"),
        ("globex.localhost", "belongs to QikBiz"),
        ("console.localhost", "belongs to QikBiz"),
        ("crm.acme.internal", "a public internet domain"),
        ("crm.acme.test", "a public internet domain"),
        ("acme", "a public internet domain"),
        ("acme.com", "is a whole domain"),
        ("http://[bad", "a valid domain"),
    ],
)
def test_what_is_no_name_of_theirs_is_refused_in_a_sentence(alice, text, sentence):
    answer = alice.post("/domains", {"host": text})
    assert answer.status_code == 400
    assert sentence in answer.text


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  CRM.Acme-Industrial.COM. ", HOST),
        (f"https://{HOST}/login?x=1", HOST),
        (f"{HOST}/", HOST),
        ("crm.bücher.example.com", "crm.xn--bcher-kva.example.com"),
    ],
)
def test_a_name_is_kept_in_one_spelling_however_it_was_typed(alice, text, kept):
    assert f">{kept}</h2>" in claim(alice, text).text


def test_there_is_an_end_to_it(alice):
    for number in range(5):
        claim(alice, f"crm-{number}.acme-industrial.com")
    assert "maximum number of domains" in alice.get("/domains").text
    assert "at most 5" in alice.post("/domains", {"host": HOST}).text


@pytest.mark.promise("P7")
@pytest.mark.parametrize("name", ["ben", "bob"])
def test_only_administrators_see_and_change_domains(client_for, name):
    browser = client_for(name)
    assert browser.get("/domains").status_code == 403
    for path in ("/domains", f"/domains/{HOST}/verification", f"/domains/{HOST}/removal"):
        assert browser.post(path, {"host": HOST}).status_code == 403


@pytest.mark.promise("P7")
def test_another_organisations_domain_does_not_exist(alice, client_for, name_server):
    serve(alice, name_server)
    mallory = client_for("mallory")
    assert HOST not in mallory.get("/domains").text
    for act in ("verification", "removal"):
        assert mallory.post(f"/domains/{HOST}/{act}").status_code == 404
    assert "Active" in alice.get("/domains").text


def test_each_step_is_in_both_audits(alice, client_for, name_server):
    serve(alice, name_server)
    alice.post(f"/domains/{HOST}/removal")
    own = alice.get("/audit").text
    platforms = client_for("olivia").get("/audit").text
    for step in ("added", "verified", "removed"):
        assert f"Domain: {step}" in own
        assert f"domain.{step}" in platforms or f"Domain: {step}" in platforms or f"domain {step}" in platforms


def test_the_tenants_page_at_the_console_shows_them(alice, client_for, name_server):
    serve(alice, name_server)
    claim(alice, "sales.acme-industrial.com")
    page = client_for("olivia").get("/tenants/acme").text
    assert HOST in page
    assert "sales.acme-industrial.com (not verified)" in page


def test_the_page_of_promises_shows_the_evidence(alice, name_server):
    serve(alice, name_server)
    page = alice.get("/promises").text
    assert "over TLS" in page
    assert f"acme.localhost, {HOST}" in page


def test_the_server_is_a_real_one(name_server: NameServer) -> None:
    """The fake speaks the protocol: a text of more than one string comes back whole."""
    from qikbiz.trust.domains.dns import texts_at

    name_server.texts["a.example.com"] = ["x" * 70]
    assert texts_at("a.example.com") == ["x" * 70]
    assert texts_at("b.example.com") == []
