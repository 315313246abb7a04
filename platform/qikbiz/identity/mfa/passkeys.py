"""Passkeys (WebAuthn level 3): made for one host, unlocked by the device's own lock, checked by the library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import Response
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from qikbiz.identity.accounts.realms import Account, Factor, Realm
from qikbiz.identity.mfa.failures import PasskeyRefused
from qikbiz.kernel.database import runtime
from qikbiz.web.request_context import destination

LONGEST_ANSWER = 16 * 1024
# What the library and the standard's parsers raise for rubbish; deep nesting ends in the last.
_BROKEN = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)
_REFUSED = "This passkey was not accepted. Try again, or sign in another way."


def options_to_create(realm: Realm, account: Account, question: bytes, known: Sequence[Factor]) -> str:
    """What the browser needs to make a passkey, as JSON. One that this person has already is not made twice."""
    return options_to_json(
        generate_registration_options(
            rp_id=host(),
            rp_name=realm.name,
            user_id=account.id.bytes,
            user_name=account.email,
            user_display_name=account.name,
            challenge=question,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=_descriptors(known),
        )
    )


def options_to_ask(question: bytes, known: Sequence[Factor] = ()) -> str:
    """What the browser needs to ask for a passkey: any of this host, or one of those `known`."""
    return options_to_json(
        generate_authentication_options(
            rp_id=host(),
            challenge=question,
            allow_credentials=_descriptors(known),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def options_response(options: str) -> Response:
    """The answer to the script that asks the browser for a passkey."""
    return Response(options, mimetype="application/json")


def checked_new(answer: str, question: bytes) -> VerifiedRegistration:
    """Raises PasskeyRefused."""
    try:
        return verify_registration_response(
            credential=_document(answer),
            expected_challenge=question,
            expected_rp_id=host(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    except _BROKEN as error:
        raise PasskeyRefused(_REFUSED) from error


def checked(answer: str, question: bytes, factor: Factor) -> VerifiedAuthentication:
    """Raises PasskeyRefused, also for a count of signatures that did not grow: a copied passkey."""
    try:
        return verify_authentication_response(
            credential=_document(answer),
            expected_challenge=question,
            expected_rp_id=host(),
            expected_origin=_origin(),
            credential_public_key=factor.public_key or b"",
            credential_current_sign_count=factor.counter,
            require_user_verification=True,
        )
    except _BROKEN as error:
        raise PasskeyRefused(_REFUSED) from error


def handle_in(answer: str) -> bytes:
    """The id of the passkey that answered. Raises PasskeyRefused."""
    try:
        return base64url_to_bytes(str(_document(answer)["rawId"]))
    except _BROKEN as error:
        raise PasskeyRefused(_REFUSED) from error


def owner_in(answer: str) -> bytes | None:
    """Whose passkey it says to be; None when the device does not say."""
    try:
        owner = _document(answer)["response"].get("userHandle")
        return base64url_to_bytes(str(owner)) if owner else None
    except _BROKEN as error:
        raise PasskeyRefused(_REFUSED) from error


def _document(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST_ANSWER:
        raise PasskeyRefused(_REFUSED)
    document = json.loads(answer)
    if not isinstance(document, dict):
        raise PasskeyRefused(_REFUSED)
    return document


def _descriptors(known: Sequence[Factor]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=factor.handle or b"") for factor in known if factor.host == host()]


def host() -> str:
    """The relying party is this very host, so that no other organisation's page is ever offered the passkey."""
    return destination().host


def _origin() -> str:
    return runtime().settings.origin(host())
