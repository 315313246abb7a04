"""Promise P16: an ID token is believed only whole: signed by the issuer's key, for us, now, and for this very login."""

from __future__ import annotations

import base64
import hmac
import json
import time

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from qikbiz.web.cookies import SESSION
from tests.fixtures.identity_provider import CLIENT_SECRET


def _refused(sign_on, otto, **claims):
    browser, answer = sign_on(email=otto.email, **claims)
    assert answer.status_code == 400, answer.text
    assert browser.cookie(SESSION.name) is None
    assert "reference" in answer.text
    return answer.text


WRONG_CLAIMS = [
    ({"nonce": "of another login"}, "nonce"),
    ({"nonce": None}, "nonce"),
    ({"aud": "another-client"}, "another client"),
    ({"aud": None}, "another client"),
    ({"aud": ["qikbiz-at-work", "another-client"]}, "azp"),
    ({"azp": "another-client"}, "azp"),
    ({"iss": "https://login.evil.example"}, "issuer"),
    ({"iss": None}, "iss"),
    ({"exp": 1_700_000_000}, "expired"),
    ({"exp": None}, "exp"),
    ({"exp": "tomorrow"}, "exp"),
    ({"iat": int(time.time()) + 3_600}, "iat"),
    ({"iat": None}, "iat"),
    ({"nbf": int(time.time()) + 3_600}, "nbf"),
    ({"sub": None}, ""),
    ({"sub": ""}, ""),
    ({"sub": 7}, ""),
    ({"sub": "x" * 300}, ""),
    ({"amr": "mfa"}, "amr"),
    ({"auth_time": "now"}, "auth_time"),
]


def test_a_claim_that_does_not_hold(sign_on, otto, subtests):
    for claims, said in WRONG_CLAIMS:
        with subtests.test(claims=claims):
            assert said in _refused(sign_on, otto, **claims)


def test_several_audiences_are_right_when_it_was_issued_to_us(sign_on, otto):
    claims = {"aud": ["qikbiz-at-work", "another-client"], "azp": "qikbiz-at-work"}
    assert sign_on(email=otto.email, **claims)[1].location == "/"


def test_an_unsigned_token(provider, sign_on, otto):
    def part(document):
        return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    provider.sign = lambda claims: f"{part({'alg': 'none'})}.{part(claims)}."
    _refused(sign_on, otto)
    provider.sign = lambda claims: f"{part({'alg': 'None', 'kid': 'one'})}.{part(claims)}."
    _refused(sign_on, otto)


def test_a_token_signed_with_what_everybody_knows(provider, sign_on, otto):
    """The public key, or the client's secret, as a secret of HMAC."""

    def mac(secret, claims):
        head, body, _signature = provider.signed(claims).split(".")
        head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
        digest = hmac.digest(secret, f"{head}.{body}".encode(), "sha256")
        return f"{head}.{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    for secret in (provider.key.as_pem(private=False), provider.key.as_der(private=False), CLIENT_SECRET.encode()):
        provider.sign = lambda claims, secret=secret: mac(secret, claims)
        assert "signature" in _refused(sign_on, otto)


def test_a_token_signed_by_another_key_of_the_same_name(provider, sign_on, otto):
    other = RSAKey.generate_key(2048, {"kid": "one"})
    provider.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, other)
    _refused(sign_on, otto)


def test_a_key_that_the_token_brings_along_counts_for_nothing(provider, sign_on, otto):
    other = RSAKey.generate_key(2048, {"kid": "two"})
    header = {"alg": "RS256", "jwk": other.as_dict(private=False), "kid": "two"}
    provider.sign = lambda claims: jwt.encode(header, claims, other)
    _refused(sign_on, otto)


def test_a_changed_token(provider, sign_on, otto):
    def changed(claims):
        head, _body, signature = provider.signed(claims).split(".")
        body = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "somebody else"}).encode()).rstrip(b"=").decode()
        return f"{head}.{body}.{signature}"

    provider.sign = changed
    _refused(sign_on, otto)


def test_rubbish(provider, sign_on, otto, subtests):
    for token in ("", "x", "a.b.c", "..", "é.é.é", "a" * 40_000, 7, None, {"a": 1}):
        with subtests.test(token=str(token)[:10]):
            provider.sign = lambda _claims, token=token: token
            _refused(sign_on, otto)


def _signs_by(provider, algorithm, key):
    provider.key = key
    provider.sign = lambda claims: jwt.encode({"alg": algorithm, "kid": "one"}, claims, key, algorithms=[algorithm])


def test_other_algorithms_are_not_taken(provider, sign_on, otto, subtests):
    rsa, curve = provider.key, ECKey.generate_key("P-384", {"kid": "one"})
    for algorithm, key in (("RS384", rsa), ("RS512", rsa), ("PS512", rsa), ("ES384", curve)):
        with subtests.test(algorithm=algorithm):
            _signs_by(provider, algorithm, key)
            _refused(sign_on, otto)


def test_these_are(provider, sign_on, otto, subtests):
    kinds = {
        "PS256": provider.key,
        "ES256": ECKey.generate_key("P-256", {"kid": "one"}),
        "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "one"}),
    }
    for algorithm, key in kinds.items():
        with subtests.test(algorithm=algorithm):
            _signs_by(provider, algorithm, key)
            assert sign_on(email=otto.email)[1].location == "/"


def test_a_rolled_key_is_found_at_once(provider, sign_on, otto):
    assert sign_on(email=otto.email)[1].location == "/"
    newer = RSAKey.generate_key(2048, {"kid": "two"})
    older = provider.key
    provider.keys = lambda: KeySet([older, newer]).as_dict(private=False)
    provider.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "two"}, claims, newer)
    assert sign_on(email=otto.email)[1].location == "/"


def test_keys_that_are_none(provider, sign_on, otto, subtests):
    for keys in ({}, {"keys": []}, {"keys": "x"}, {"keys": [{"kty": "oct", "k": "eHg"}]}, {"keys": [7]}):
        with subtests.test(keys=keys):
            provider.keys = lambda keys=keys: keys
            _refused(sign_on, otto)


def test_the_code_is_good_only_for_the_verifier_it_was_asked_with(provider, app, otto):
    """Another user's code, put into one's own answer."""
    from tests.fixtures.web import Browser
    from tests.sso.conftest import begin, come_back

    victim, thief = Browser(app, otto.tenant.host), Browser(app, otto.tenant.host)
    stolen = provider.sends_back(begin(victim), email=otto.email)
    own = provider.sends_back(begin(thief), email="thief@example.com")
    code = stolen.split("code=")[1].split("&")[0]
    answer = come_back(thief, own.replace(own.split("code=")[1].split("&")[0], code))
    assert answer.status_code == 400
    assert "does not accept the code" in answer.text


def test_an_answer_that_names_another_provider(provider, app, otto):
    from tests.fixtures.web import Browser
    from tests.sso.conftest import begin, come_back

    browser = Browser(app, otto.tenant.host)
    back = provider.sends_back(begin(browser), email=otto.email)
    bare, _, _iss = back.rpartition("&iss=")
    assert come_back(browser, f"{bare}&iss=https://login.evil.example").status_code == 400
    provider.discovery = {"authorization_response_iss_parameter_supported": True}
    back = provider.sends_back(begin(browser), email=otto.email)
    assert come_back(browser, back.rpartition("&iss=")[0]).status_code == 400
