"""The store: encrypted, whole or not there at all, readable from any place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.keys import KeyRing, SealBroken, new_key_ring_json
from qikbiz.files.store import CHUNK, FileBroken, FileGone, FolderStore, new_file_key, open_file_key, seal_file_key

KEY = new_file_key()
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def write(store: FolderStore, content: bytes, name: str = "exports/a/one", pieces: int = 70_001) -> None:
    with store.draft(name, KEY) as draft:
        for start in range(0, len(content), pieces):
            draft.write(content[start : start + pieces])
        draft.finish()


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_is_read(store: FolderStore, size: int) -> None:
    content = os.urandom(size)
    write(store, content)
    stored = store.open("exports/a/one", KEY)
    assert stored.size == size
    assert b"".join(stored.read()) == content


@settings(max_examples=60, deadline=None)
@given(size=st.sampled_from(SIZES), start=st.integers(0, 4 * CHUNK), length=st.none() | st.integers(0, 4 * CHUNK))
def test_any_piece_can_be_read_alone(
    tmp_path_factory: pytest.TempPathFactory, size: int, start: int, length: int | None
) -> None:
    store = FolderStore(tmp_path_factory.mktemp("store"))
    content = bytes(index * 7 % 251 for index in range(size))
    write(store, content)
    end = len(content) if length is None else start + length
    assert b"".join(store.open("exports/a/one", KEY).read(start, length)) == content[start:end]


def test_the_disk_holds_nothing_readable(store: FolderStore, tmp_path: Path) -> None:
    write(store, b"Ann Lee " * 1000)
    assert b"Ann Lee" not in (tmp_path / "exports/a/one").read_bytes()
    assert (tmp_path / "exports/a/one").stat().st_mode & 0o077 == 0


def test_where_accounts_share_the_folder_their_group_may_read_and_delete_and_nobody_else(
    store: FolderStore, tmp_path: Path
) -> None:
    tmp_path.chmod(0o2770)
    before = os.umask(0o007)
    try:
        write(store, b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "exports/a/one").stat().st_mode & 0o777 == 0o660
    for folder in ("exports", "exports/a"):
        assert (tmp_path / folder).stat().st_mode & 0o7777 == 0o2770


def test_another_key_opens_nothing(store: FolderStore) -> None:
    write(store, b"x")
    with pytest.raises(FileBroken):
        b"".join(store.open("exports/a/one", new_file_key()).read())


@pytest.mark.parametrize("change", ["cut a byte", "cut a chunk", "swap chunks", "flip a bit", "header"])
def test_whatever_was_changed_is_noticed(store: FolderStore, tmp_path: Path, change: str) -> None:
    write(store, os.urandom(3 * CHUNK))
    path = tmp_path / "exports/a/one"
    raw, step, head = path.read_bytes(), CHUNK + 16, 16
    chunks = [raw[head + step * n : head + step * (n + 1)] for n in range(3)]
    path.write_bytes({
        "cut a byte": raw[:-1],
        "cut a chunk": raw[: head + 2 * step],
        "swap chunks": raw[:head] + chunks[1] + chunks[0] + chunks[2],
        "flip a bit": raw[:50_000] + bytes([raw[50_000] ^ 1]) + raw[50_001:],
        "header": b"QBF2" + raw[4:],
    }[change])  # fmt: skip
    with pytest.raises(FileBroken):
        b"".join(store.open("exports/a/one", KEY).read())


def test_a_draft_that_is_left_vanishes(store: FolderStore) -> None:
    with pytest.raises(RuntimeError), store.draft("exports/a/one", KEY) as draft:
        draft.write(b"x" * CHUNK * 2)
        assert store.names("exports/a/") == ["exports/a/one.part"]
        raise RuntimeError
    assert store.names("exports/a/") == []
    with pytest.raises(FileGone):
        store.open("exports/a/one", KEY)


def test_a_name_never_leads_out_of_the_store(store: FolderStore) -> None:
    for name in ("../secret", "exports/../../secret", "/etc/passwd"):
        with pytest.raises(ValueError, match="outside"):
            store.open(name, KEY)


def test_a_sealed_key_opens_for_its_own_file_only() -> None:
    ring = KeyRing.parse(new_key_ring_json())
    sealed = seal_file_key(ring, "exports/a/one", KEY)
    assert open_file_key(ring, "exports/a/one", sealed) == KEY
    with pytest.raises(SealBroken):
        open_file_key(ring, "exports/a/two", sealed)
