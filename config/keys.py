"""The key ring: one master secret per key id, a subkey for each purpose, rotation without ending sessions.

Sealing is AES-256-GCM-SIV where OpenSSL has it (a repeated nonce then reveals only equality) and AES-256-GCM
elsewhere; the first byte of a sealed value names the scheme, so that values of both can be opened.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KeyState = Literal["accept", "active", "retired"]
_GCM_SIV, _GCM = 1, 2
_NONCE_BYTES = 12
_HEADER_BYTES = 2


OTHER_RING = (
    "Something kept can't be opened with this key ring. Set QIKBIZ_KEYS (or keys.json under QIKBIZ_HOME) to the ring "
    "with which it was made; `qikbiz doctor` says what is affected."
)


class SealBroken(Exception):
    """A sealed value was changed, belongs to another purpose or place, or its key is retired or unknown."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text or OTHER_RING)


class KeyUnknown(SealBroken):
    """A sealed value names a key that this process doesn't have. During a roll another process may have it."""


@dataclass(frozen=True)
class Key:
    """One master key: `id` 0 to 255, `secret` at least 32 bytes.

    `state`: an "active" key seals and opens, an "accept" key only opens, a "retired" key does neither.
    """

    id: int
    secret: bytes
    state: KeyState


@dataclass(frozen=True)
class Opened:
    """An opened value, and whether it should be sealed again because its key is no longer the active one."""

    plaintext: bytes
    is_stale: bool


@dataclass(frozen=True)
class KeyRing:
    """All master keys, exactly one of them active."""

    keys: tuple[Key, ...]
    is_development: bool = False

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read the JSON form `{"keys": [{"id", "secret" (base64), "state"}]}`. Raises ValueError with the reason."""
        try:
            document = json.loads(text)
            keys = tuple(
                Key(int(k["id"]), base64.b64decode(k["secret"], validate=True), k["state"]) for k in document["keys"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("it is not the JSON that `qikbiz keys new` prints.") from error
        _check(keys)
        return cls(keys, is_development=bool(document.get("development")))

    @property
    def active(self) -> Key:
        return next(key for key in self.keys if key.state == "active")

    def seal(self, purpose: str, plaintext: bytes, *, bound_to: str = "") -> str:
        """Encrypt and authenticate, bound to `purpose` and to `bound_to` (host, tenant, cookie name …)."""
        scheme = _GCM_SIV if _has_gcm_siv() else _GCM
        nonce = os.urandom(_NONCE_BYTES)
        header = bytes((scheme, self.active.id))
        sealed = _cipher(scheme, self.active, purpose).encrypt(nonce, plaintext, _associated(header, purpose, bound_to))
        return base64.urlsafe_b64encode(header + nonce + sealed).rstrip(b"=").decode("ascii")

    def open(self, purpose: str, value: str, *, bound_to: str = "") -> Opened:
        """Undo `seal`. Raises SealBroken for anything but an unchanged value of this purpose and place."""
        raw = _decode(value)
        scheme, key_id = raw[0], raw[1]
        key = next((k for k in self.keys if k.id == key_id), None)
        if key is None:
            raise KeyUnknown
        if key.state == "retired" or scheme not in (_GCM_SIV, _GCM):
            raise SealBroken
        nonce, sealed = raw[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES], raw[_HEADER_BYTES + _NONCE_BYTES :]
        try:
            associated = _associated(raw[:_HEADER_BYTES], purpose, bound_to)
            plaintext = _cipher(scheme, key, purpose).decrypt(nonce, sealed, associated)
        except InvalidTag as error:
            raise SealBroken from error
        return Opened(plaintext, is_stale=key.state != "active")

    def mac(self, purpose: str, message: bytes) -> bytes:
        """32-byte HMAC-SHA-256 under the active key."""
        return hmac.digest(_subkey(self.active, purpose), message, hashlib.sha256)

    def macs(self, purpose: str, message: bytes) -> tuple[bytes, ...]:
        """The MAC under each key that is still accepted, the active one first: for look-ups during rotation."""
        usable = sorted((k for k in self.keys if k.state != "retired"), key=lambda k: k.state != "active")
        return tuple(hmac.digest(_subkey(key, purpose), message, hashlib.sha256) for key in usable)

    def verify_mac(self, purpose: str, message: bytes, claimed: bytes) -> bool:
        return any([hmac.compare_digest(mac, claimed) for mac in self.macs(purpose, message)])

    def sign(self, purpose: str, message: bytes) -> tuple[int, bytes]:
        """The active key's id, and its Ed25519 signature, which anyone with the public key can check."""
        return self.active.id, _signing_key(self.active, purpose).sign(message)

    def is_signed(self, purpose: str, key_id: int, message: bytes, signature: bytes) -> bool:
        """Whether a key of this ring made the signature; a retired one too, since what it signed stays valid."""
        for key in self.keys:
            if key.id == key_id:
                try:
                    _signing_key(key, purpose).public_key().verify(signature, message)
                except InvalidSignature:
                    return False
                return True
        return False

    def public_key(self, purpose: str, key_id: int) -> bytes | None:
        """The 32 bytes by which signatures of that key are checked, or None when the ring doesn't have it."""
        found = next((key for key in self.keys if key.id == key_id), None)
        return _signing_key(found, purpose).public_key().public_bytes_raw() if found else None


def new_key_ring_json(*, development: bool = False) -> str:
    """A fresh ring with one active key, as `qikbiz keys new` prints it."""
    secret = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
    document: dict[str, object] = {"keys": [{"id": 1, "secret": secret, "state": "active"}]}
    if development:
        document["development"] = True
    return json.dumps(document)


def development_key_ring(home: Path) -> KeyRing:
    """The ring kept under `home` for development; made at first use, marked so that production refuses it."""
    path = home / "keys.json"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}.part")
        draft.touch(mode=0o600)
        draft.write_text(new_key_ring_json(development=True), encoding="utf-8")
        try:
            os.link(draft, path)  # the first process wins, so that two never hold different keys
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return KeyRing.parse(path.read_text(encoding="utf-8"))


def _check(keys: tuple[Key, ...]) -> None:
    if [key.state for key in keys].count("active") != 1:
        raise ValueError("exactly one key must be active.")
    if len({key.id for key in keys}) != len(keys) or not all(0 <= key.id <= 255 for key in keys):
        raise ValueError("key ids must be different numbers from 0 to 255.")
    if any(len(key.secret) < 32 for key in keys):
        raise ValueError("each secret must have at least 32 bytes.")
    if any(key.state not in ("accept", "active", "retired") for key in keys):
        raise ValueError("each state must be accept, active or retired.")


def _decode(value: str) -> bytes:
    try:
        raw = base64.b64decode(value.encode("ascii") + b"=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise SealBroken from error
    canonical = base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
    # The last character of base64 has unused bits: without this, a changed character could still open.
    if canonical != value or len(raw) < _HEADER_BYTES + _NONCE_BYTES + 16:
        raise SealBroken
    return raw


def _associated(header: bytes, purpose: str, bound_to: str) -> bytes:
    return header + b"|" + purpose.encode() + b"|" + bound_to.encode()


@cache
def _has_gcm_siv() -> bool:
    try:
        AESGCMSIV(bytes(32))
    except UnsupportedAlgorithm:
        return False
    return True


@cache
def _subkey(key: Key, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"qikbiz/{purpose}".encode()).derive(key.secret)


@cache
def _signing_key(key: Key, purpose: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_subkey(key, f"sign/{purpose}"))


@cache
def _cipher(scheme: int, key: Key, purpose: str) -> AESGCMSIV | AESGCM:
    subkey = _subkey(key, f"seal/{purpose}")
    return AESGCMSIV(subkey) if scheme == _GCM_SIV else AESGCM(subkey)
