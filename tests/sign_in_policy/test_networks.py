"""Promise P9: the organisation's own list of networks that may sign in, which can't lock its administrators out."""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest

from qikbiz.identity.sign_in_policy.networks import BadNetwork, is_inside, read_networks
from qikbiz.web.cookies import REMEMBER, SESSION
from tests.fixtures.mfa import add_passkey, code_of, log_in_by_passkey, set_up_app
from tests.fixtures.web import Browser
from tests.sign_in_policy.conftest import AS_IT_IS, PAGE

ELSEWHERE = "198.51.100.23"


@pytest.fixture
def office(set_policy, log_in, paula):
    """A policy that knows only Paula's own address; gives her browser and the break-glass code."""
    browser = set_policy()
    answer = browser.post(PAGE, AS_IT_IS | {"networks": f"{browser.address}\n2001:db8:7::/48"})
    code = re.search(r'data-copy="([a-z0-9-]{24})"', answer.text)
    assert code, answer.text
    return browser, code[1]


def _at(office, address: str) -> Browser:
    browser = Browser(office[0].app, office[0].host)
    browser.address = address
    return browser


@pytest.mark.promise("P9")
def test_from_outside_nobody_logs_in_and_the_page_names_the_address(office, otto, rows_of):
    browser = _at(office, ELSEWHERE)
    page = browser.log_in(otto.email, otto.password)
    assert page.status_code == 403
    assert ELSEWHERE in page.text
    assert browser.cookie(SESSION.name) is None
    noted = rows_of(otto.tenant, "select kind, outcome from access_events where kind = 'network_refused'")
    assert [(row["kind"], row["outcome"]) for row in noted] == [("network_refused", "refused")]


@pytest.mark.promise("P9")
def test_from_outside_a_wrong_password_gets_the_same_answer(office, otto):
    right = _at(office, ELSEWHERE).log_in(otto.email, otto.password)
    wrong = _at(office, ELSEWHERE).log_in(otto.email, "certainly not the password")
    nobody = _at(office, ELSEWHERE).log_in("nobody@example.com", "certainly not the password")
    assert right.status_code == wrong.status_code == nobody.status_code == 403


@pytest.mark.promise("P9")
@pytest.mark.promise("P16")
def test_from_outside_a_passkey_gets_the_same_answer_right_or_wrong(office, otto, log_in, device_for):
    inside = _at(office, office[0].address)
    inside.log_in(otto.email, otto.password)
    device = device_for(inside)
    add_passkey(inside, device)
    for flags in (device.flags, 0):
        browser, device.flags = _at(office, ELSEWHERE), flags
        answer = log_in_by_passkey(browser, device)
        assert answer.status_code == 403
        assert ELSEWHERE in answer.text
        assert browser.cookie(SESSION.name) is None


INSIDE = ("2001:db8:7::1", "2001:db8:7:ffff::9", "inside")


@pytest.mark.promise("P9")
def test_from_inside_everybody_does(office, otto, subtests):
    for address in INSIDE:
        with subtests.test(address):
            browser = _at(office, office[0].address if address == "inside" else address)
            assert browser.log_in(otto.email, otto.password).location == "/"
            assert browser.get("/").status_code == 200


NEIGHBOURS = ("2001:db8:8::1", "::1", "127.0.0.1")


@pytest.mark.promise("P9")
def test_a_neighbour_is_not_inside(office, otto, subtests):
    for address in NEIGHBOURS:
        with subtests.test(address):
            assert _at(office, address).log_in(otto.email, otto.password).status_code == 403


@pytest.mark.promise("P9")
def test_a_forwarded_header_of_a_stranger_changes_nothing(office, otto):
    browser = _at(office, ELSEWHERE)
    browser.headers = {"X-Forwarded-For": office[0].address}
    assert browser.log_in(otto.email, otto.password).status_code == 403


@pytest.mark.promise("P9")
def test_whoever_leaves_the_network_is_stopped_at_the_next_click_and_goes_on_back_inside(office, otto):
    browser = _at(office, office[0].address)
    browser.log_in(otto.email, otto.password)
    browser.address = ELSEWHERE
    page = browser.get("/contacts")
    assert page.status_code == 403
    assert ELSEWHERE in page.text
    browser.address = office[0].address
    assert browser.get("/contacts").status_code == 200
    token = browser.csrf_token()
    browser.address = ELSEWHERE
    assert browser.post("/logout", {"csrf_token": token}).status_code == 303
    assert browser.cookie(SESSION.name) is None


@pytest.mark.promise("P9")
def test_whoever_is_logged_in_elsewhere_is_stopped_when_the_list_is_saved(log_in, otto, paula, set_policy):
    browser = log_in(otto)
    assert browser.get("/").status_code == 200
    mine = set_policy()
    set_policy(networks=mine.address)
    assert browser.get("/").status_code == 403
    set_policy(networks="")
    assert browser.get("/").status_code == 200


@pytest.mark.promise("P9")
def test_it_holds_while_redis_is_away(office, otto, without_redis):
    browser = _at(office, office[0].address)
    browser.log_in(otto.email, otto.password)
    with without_redis():
        browser.address = ELSEWHERE
        assert browser.get("/").status_code == 403


@pytest.mark.promise("P9")
def test_a_remembered_device_is_not_restored_outside_and_stays_remembered(office, otto):
    browser = _at(office, office[0].address)
    browser.log_in(otto.email, otto.password, remember=True)
    browser.close()
    browser.address = ELSEWHERE
    assert browser.get("/").status_code == 303
    assert browser.cookie(REMEMBER.name)
    browser.address = office[0].address
    assert browser.get("/").status_code == 200


@pytest.mark.promise("P9")
def test_invitations_and_links_are_not_used_up_outside(office, app, otto):
    from qikbiz.identity.members.actions import invite_user
    from qikbiz.kernel.database import tenant_transaction

    with app.app_context(), tenant_transaction(otto.tenant):
        url = invite_user("kim@example.com", "Kim", ["member"])
    path, form = "/invitation/" + url.rsplit("/", 1)[1], {"name": "Kim", "password": "words of a quiet sunday"}
    assert _at(office, ELSEWHERE).post(path, form).status_code == 403
    assert _at(office, office[0].address).post(path, form).location == "/"


@pytest.mark.promise("P9")
def test_a_list_without_oneself_is_refused_and_names_the_address(set_policy, rows_of, paula):
    browser = set_policy()
    page = browser.post(PAGE, AS_IT_IS | {"networks": "203.0.113.0/24"})
    assert page.status_code == 422
    assert f"Your address {browser.address}" in page.text
    assert rows_of(paula.tenant, "select networks from sign_in_policy") == [{"networks": []}]


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0/0", "::/0", "10.0.0.0/7", "2001::/19", "not a network", "203.0.113.7/24", "300.1.1.1", "1.2.3.4/33",
     "::ffff:10.0.0.0/104", "10.0.0.0/8/8", "1" * 3000, "\x00", "fe80::1%eth0/64"],
)  # fmt: skip
def test_what_is_no_sane_network_is_refused(text):
    with pytest.raises(BadNetwork):
        read_networks(text)


def test_at_most_fifty_and_doubles_are_one():
    assert read_networks("\n".join(["203.0.113.0/24"] * 60)) == ("203.0.113.0/24",)
    with pytest.raises(BadNetwork):
        read_networks(",".join(f"10.0.{number}.0/24" for number in range(51)))


@pytest.mark.promise("P9")
def test_addresses_of_the_two_kinds_are_not_mixed_up():
    assert not is_inside(ip_address("2001:db8::1"), ["0.0.0.0/8", "10.0.0.0/8"])
    assert is_inside(ip_address("10.9.8.7"), ["2001:db8::/32", "10.0.0.0/8"])


@pytest.mark.promise("P9")
def test_the_code_lets_an_administrator_in_once_from_anywhere(office, paula, rows_of, add_person):
    quin = add_person(paula.tenant, "Quin", "administrator")
    browser = _at(office, ELSEWHERE)
    form = {"email": paula.email, "password": paula.password, "code": office[1]}
    assert browser.post("/break-glass", form).location == "/"
    assert browser.get(PAGE).status_code == 200
    again = _at(office, ELSEWHERE)
    assert again.post("/break-glass", form).status_code == 401
    # For this one login, and for no later one.
    assert again.log_in(paula.email, paula.password).status_code == 403
    told = rows_of(paula.tenant, "select to_address from mails where template = 'break_glass_used'")
    assert {row["to_address"] for row in told} == {paula.email, quin.email}
    acts = rows_of(paula.tenant, "select action from audit_events where action like 'policy.break%' order by id")
    assert [act["action"] for act in acts] == ["policy.break_glass_made", "policy.break_glass_used"]


@pytest.mark.promise("P9")
def test_the_code_is_for_administrators_with_their_password(office, paula, otto):
    browser = _at(office, ELSEWHERE)
    for email, password in ((otto.email, otto.password), (paula.email, "not the password of Paula"), ("x@y.z", "x")):
        form = {"email": email, "password": password, "code": office[1]}
        assert browser.post("/break-glass", form).status_code == 401
    form = {"email": paula.email, "password": paula.password, "code": office[1]}
    assert browser.post("/break-glass", form).location == "/"


@pytest.mark.promise("P9")
def test_the_code_spares_nobody_the_second_factor(office, paula, clock):
    secret, _codes = set_up_app(office[0])
    clock.move(seconds=60)
    browser = _at(office, ELSEWHERE)
    form = {"email": paula.email, "password": paula.password, "code": office[1]}
    assert browser.post("/break-glass", form).location == "/login/second-step"
    assert browser.get("/").status_code == 303
    assert browser.post("/login/second-step", {"code": code_of(secret)}).location == "/"
    assert browser.get("/").status_code == 200


@pytest.mark.promise("P9")
def test_guessing_codes_is_stopped(office, paula):
    browser = _at(office, ELSEWHERE)
    form = {"email": paula.email, "password": paula.password, "code": "aaaa-aaaa-aaaa-aaaa-aaaa"}
    assert [browser.post("/break-glass", form).status_code for _ in range(6)] == [401] * 5 + [429]


@pytest.mark.promise("P9")
def test_only_a_hash_of_the_code_is_kept_and_a_new_one_ends_it(office, paula, rows_of):
    browser, code = office
    kept = bytes(rows_of(paula.tenant, "select break_glass from sign_in_policy")[0]["break_glass"])
    assert code.replace("-", "").encode() not in kept
    page = browser.post(f"{PAGE}/break-glass-code").text
    assert code not in page
    form = {"email": paula.email, "password": paula.password, "code": code}
    assert _at(office, ELSEWHERE).post("/break-glass", form).status_code == 401


@pytest.mark.promise("P9")
def test_a_code_of_one_organisation_opens_no_other(office, world):
    browser = Browser(office[0].app, "acme.localhost")
    form = {"email": world.alice.email, "password": world.alice.password, "code": office[1]}
    assert browser.post("/break-glass", form).status_code == 401


def test_without_a_list_there_is_no_code(set_policy):
    assert set_policy().post(f"{PAGE}/break-glass-code").status_code == 409
