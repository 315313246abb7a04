"""Other accounts can't read QIKBIZ_HOME, and a cell's login can't connect to a database without tenants."""

import stat
import zipfile
import zlib
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from provisioning.servers import connect_to_control
from provisioning.up import make_home_private
from qikbiz.messaging.mail import dev_outbox
from qikbiz.transfer.exports.manifest import MANIFEST
from qikbiz.transfer.exports.restore import NotRestorable, checked_manifest, is_archive
from tenants.control import new_id
from tenants.runtime import CELL_DSN
from tests.fixtures.world import World


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_home_and_the_mailbox_of_development_are_private_also_where_they_were_not(tmp_path: Path) -> None:
    fresh, old = tmp_path / "fresh", tmp_path / "old"
    old.mkdir(mode=0o755)
    (old / "mail").mkdir(mode=0o755)
    for home in (fresh, old):
        make_home_private(home)
        assert mode(home) & 0o066 == 0
        message = EmailMessage()
        message["To"] = "bob@example.com"
        mail_id = new_id()
        dev_outbox.write(home / "mail", mail_id, message)
        assert mode(home / "mail") == 0o700
        assert mode(home / "mail" / f"{mail_id}.eml") == 0o600
        assert dev_outbox.read(home / "mail", mail_id) is not None


def test_a_cells_login_gets_into_the_tenants_database_only(world: World) -> None:
    with connect_to_control(world.settings) as control:
        name, sealed = control.execute("SELECT name, dsn FROM cells ORDER BY name").fetchone() or ("", "")
    dsn = world.settings.keys.open(CELL_DSN, str(sealed), bound_to=str(name)).plaintext.decode()
    psycopg.connect(dsn).close()
    for database in ("postgres", "template1", "qikbiz_control"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(conninfo.make_conninfo(dsn, dbname=database))


def test_one_statement_may_not_fill_the_disk(world: World) -> None:
    with connect_to_control(world.settings) as control:
        assert control.execute("SELECT current_setting('temp_file_limit')").fetchone() == ("4GB",)


def lies() -> dict[str, bytes]:
    """Zips that say something else than they hold."""
    import io

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, b'{"format": "x"}' * 50)
    whole = buffer.getvalue()
    start = 30 + len(MANIFEST)
    central = whole.index(b"PK\x01\x02")
    return {
        "cut off": whole[:-30],
        "content is no deflate": whole[:start] + b"\xff" * 20 + whole[start + 20 :],
        "unknown compression": whole[: central + 10] + b"\x63\x00" + whole[central + 12 :],
        "says it is encrypted": whole[: central + 8] + b"\x01\x00" + whole[central + 10 :],
        "says it is shorter": whole[: central + 24] + b"\x05\x00\x00\x00" + whole[central + 28 :],
        "says it is longer": whole[: central + 20] + b"\xff\xff\x00\x00" + whole[central + 24 :],
        "empty": b"PK\x05\x06" + bytes(18),
        "no zip": zlib.compress(b"x"),
    }


@pytest.mark.parametrize("name", lies())
def test_a_zip_that_lies_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    file = tmp_path / "export.zip"
    file.write_bytes(lies()[name])
    assert is_archive(file) is False
    with pytest.raises(NotRestorable, match=r"\.$") as refused:
        checked_manifest(file)
    assert refused.value.status in (400, 409)
