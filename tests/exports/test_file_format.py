"""The format of stored files, as docs/file-format.md specifies it: fixed bytes, and a reader written from that page."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config.keys import Key, KeyRing, SealBroken
from qikbiz.files.store import FileBroken, FolderStore, open_file_key, seal_file_key

KEY = bytes(range(32))
NAME = "exports/a/one"
RING = KeyRing((Key(7, bytes(range(32, 64)), "active"),))
FULL = bytes(range(256)) * 1024
# The content, and what the file holds: whole for short ones, else its SHA-256.
VECTORS = {
    b"": "5142463100040000000000000000000039baf138adaef0365fdc2d0083c2f693",
    b"hello": "514246310004000000000000000000007db3d3902b13b3d4080bffcddc92667d681442b258",
    FULL: "bd8e2eb3f874f82184406f50587ff2a792ac935ed8f4c713c2eb6daeb35239a2",
    FULL + b"!": "64f5647b42553946499454d1a7361b3664dcd7692d302db318b889323a97d757",
}
SEALED_KEYS = {
    "AES-256-GCM-SIV": "AQcAAQIDBAUGBwgJCguWXwnT6lZeRTLYkKDATqzMhgR38M0Mx9yS19NFN9x8xgzyfmwis_ZrI3o_qq5aADE",
    "AES-256-GCM": "AgcAAQIDBAUGBwgJCgs3a9pzPW_Jj2QFYw6Y6KXDNzYIVL8W63IXjgfUj_JxOvpe8JAge6sqwPf3qiFmUEU",
}


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def written(store: FolderStore, content: bytes) -> bytes:
    with store.draft(NAME, KEY) as draft:
        draft.write(content)
        draft.finish()
    return (store.root / NAME).read_bytes()


def read_as_the_page_says(stored: bytes, key: bytes) -> bytes:
    header, rest = stored[:16], stored[16:]
    assert header == b"QBF1" + (262_144).to_bytes(4, "big") + bytes(8)
    chunks = [rest[start : start + 262_160] for start in range(0, len(rest), 262_160)]
    content = b""
    for number, chunk in enumerate(chunks):
        nonce = number.to_bytes(8, "big") + bytes(3) + bytes([number == len(chunks) - 1])
        content += AESGCM(key).decrypt(nonce, chunk, header)
    return content


@pytest.mark.parametrize("content", VECTORS, ids=["empty", "short", "one full chunk", "one byte more"])
def test_the_same_key_and_content_give_these_bytes(store: FolderStore, content: bytes) -> None:
    stored = written(store, content)
    assert VECTORS[content] == (stored.hex() if len(content) < 100 else hashlib.sha256(stored).hexdigest())
    assert b"".join(store.open(NAME, KEY).read()) == content


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_144, 262_145, 524_288, 600_000])
def test_a_reader_written_from_the_page_reads_the_programs_files(store: FolderStore, size: int) -> None:
    content = os.urandom(size)
    stored = written(store, content)
    assert len(stored) == 16 + size + 16 * max(1, -(-size // 262_144))
    assert read_as_the_page_says(stored, KEY) == content


def test_what_the_page_says_is_refused_is_refused(store: FolderStore) -> None:
    stored = written(store, FULL + FULL + b"end")
    header, first, second, last = stored[:16], stored[16:262_176], stored[262_176:524_336], stored[524_336:]
    for changed in (
        b"QBF2" + stored[4:],
        stored[:15] + b"\x01" + stored[16:],
        header + second + first + last,
        header + first + first + last,
        header + first + last,
        header + first + second,
        header + last,
        stored[:-1],
        stored + b"\x00",
        header,
        header[:10],
    ):
        (store.root / NAME).write_bytes(changed)
        with pytest.raises(FileBroken):
            b"".join(store.open(NAME, KEY).read())
        with pytest.raises((InvalidTag, AssertionError)):
            read_as_the_page_says(changed, KEY)
            # A header alone has no chunk at all.
            assert len(changed) > 16


@pytest.mark.parametrize("scheme", SEALED_KEYS)
def test_the_key_in_a_row_is_opened_as_the_page_says(scheme: str) -> None:
    ciphers = {"AES-256-GCM-SIV": AESGCMSIV, "AES-256-GCM": AESGCM}
    sealing = HKDF(SHA256(), 32, None, b"qikbiz/seal/file").derive(RING.active.secret)
    try:
        cipher = ciphers[scheme](sealing)
    except UnsupportedAlgorithm:
        pytest.skip("This OpenSSL lacks it.")
    raw = base64.urlsafe_b64decode(SEALED_KEYS[scheme] + "==")
    assert cipher.decrypt(raw[2:14], raw[14:], raw[:2] + f"|file|{NAME}".encode()) == KEY
    assert open_file_key(RING, NAME, SEALED_KEYS[scheme].encode()) == KEY
    with pytest.raises(SealBroken):
        open_file_key(RING, "exports/a/two", SEALED_KEYS[scheme].encode())


def test_a_row_holds_a_key_in_the_length_that_the_page_says() -> None:
    raw = base64.urlsafe_b64decode(seal_file_key(RING, NAME, KEY) + b"==")
    assert (len(raw), raw[0] in (1, 2), raw[1]) == (62, True, 7)
