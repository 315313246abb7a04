"""The logo of an organisation: which files are taken, what is kept of them, where it shows, and who may set it."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from provisioning.embedded.processes import wait_until
from qikbiz.audit.models import AuditEvent
from qikbiz.crm.workspace.models import Logo
from qikbiz.crm.workspace.pictures import (
    BOX,
    MOST_PIXELS,
    MOST_STORED_BYTES,
    MOST_UPLOADED_BYTES,
    BadPicture,
    Picture,
    read_picture,
)
from tests.fixtures.web import Browser
from tests.fixtures.world import Organisation

LOGO = "/settings/general/logo"


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 64), colour: str = "teal", **given: object) -> bytes:
    written = BytesIO()
    Image.new("RGB", size, colour).save(written, kind, **given)  # type: ignore[arg-type]
    return written.getvalue()


def upload(browser: Browser, content: bytes, name: str = "logo.png") -> TestResponse:
    return browser.post(LOGO, {"logo": (BytesIO(content), name)})


def shown(browser: Browser) -> str:
    """The name of the logo that every process shows now, "" for none."""
    directory = browser.app.extensions["qikbiz"].directory
    directory.look()
    found = directory.resolve(browser.host).tenant
    assert found is not None
    return str(found.logo)


def test_png_jpeg_and_webp_become_small_webp_files_without_metadata() -> None:
    place = Image.Exif()
    place[0x010E], place[0x0112] = "taken at home", 6
    for kind in ("PNG", "JPEG", "WEBP"):
        drawn = read_picture(picture(kind, (900, 300), exif=place))
        # Turned as its metadata said, and within the box.
        assert (drawn.width, drawn.height) == (53, BOX[1])
        with Image.open(BytesIO(drawn.content)) as image:
            assert image.format == "WEBP" and image.size == (drawn.width, drawn.height) and not dict(image.getexif())
        assert b"taken" not in drawn.content and len(drawn.content) <= MOST_STORED_BYTES


def test_what_is_clear_stays_clear_and_what_is_full_of_detail_gets_smaller() -> None:
    written = BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(written, "PNG")
    with Image.open(BytesIO(read_picture(written.getvalue()).content)) as image:
        assert image.convert("RGBA").getpixel((20, 20))[3] == 0
    written = BytesIO()
    Image.effect_noise((512, 160), 120).save(written, "PNG")
    assert len(read_picture(written.getvalue()).content) <= MOST_STORED_BYTES


def giant_png() -> bytes:
    """A few bytes that say that they hold 60,000 by 60,000 pixels."""
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(b""), b"IEND")
    written = (struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "Choose a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "not a PNG, JPEG or WebP"),
        (picture("GIF"), "not a PNG, JPEG or WebP"),
        (picture("BMP"), "not a PNG, JPEG or WebP"),
        (picture()[:60], "damaged"),
        (b"RIFF\0\0\0\0WEBPVP8 nonsense", "damaged"),
        (picture(size=(8, 80)), "The minimum is 16"),
        (picture(size=(MOST_PIXELS + 1, 20)), "The maximum is 3,000"),
        (giant_png(), "The maximum is 3,000"),
        (picture() + bytes(MOST_UPLOADED_BYTES), "larger than 512 kB"),
    ],
)
def test_what_is_no_logo_is_refused_with_one_sentence_that_says_why(content: bytes, says: str) -> None:
    with pytest.raises(BadPicture, match=says):
        read_picture(content)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(("PNG", "JPEG", "WEBP")), st.integers(0, 400), st.binary(min_size=1, max_size=40))
def test_no_damage_to_a_file_is_more_than_a_bad_picture(kind: str, place: int, damage: bytes) -> None:
    whole = picture(kind)
    place %= len(whole)
    try:
        assert isinstance(read_picture(whole[:place] + damage + whole[place + len(damage) :]), Picture)
    except BadPicture as problem:
        assert problem.text


def test_it_replaces_the_letter_on_every_page_and_before_sign_in_until_it_is_removed(
    organisation: Organisation,
) -> None:
    alice = organisation.browser("alice")
    assert '<span class="brand-mark"' in alice.get("/contacts").text
    assert upload(alice, picture(size=(300, 100)), "not-a-picture.txt").status_code == 303
    assert wait_until(lambda: shown(alice) != "", seconds=20)
    source = f"/logo/{shown(alice)}.webp"
    page, stranger = alice.get("/contacts").text, Browser(alice.app, alice.host)
    assert f'src="{source}" width="300" height="100"' in page and '<span class="brand-mark"' not in page
    assert source in stranger.get("/login").text
    answer = stranger.get(source)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/webp"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Cookie" not in answer.headers.get("Vary", "") and "Set-Cookie" not in answer.headers
    # A page from before the last change: shown, and not kept under that name.
    old = stranger.get("/logo/another.webp")
    assert old.status_code == 200 and "no-store" in old.headers["Cache-Control"]
    assert "Nothing was changed." in alice.follow(upload(alice, picture(size=(300, 100)))).text
    assert alice.post(f"{LOGO}/removal", {}).status_code == 303
    assert wait_until(lambda: shown(alice) == "", seconds=20)
    assert '<span class="brand-mark"' in alice.get("/contacts").text and stranger.get(source).status_code == 404
    with organisation.work() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.action == "workspace.changed")).all()
        assert [[bool(name) for name in row.details["changes"]["logo"]] for row in rows] == [
            [False, True],
            [True, False],
        ]


def test_a_bad_file_is_said_beside_its_field_and_the_logo_in_force_stays(organisation: Organisation) -> None:
    alice = organisation.browser("alice")
    upload(alice, picture())
    answer = upload(alice, b"%PDF-1.7")
    assert answer.status_code == 422 and "not a PNG, JPEG or WebP" in answer.text and 'id="logo-error"' in answer.text
    # The settings above it are those in force, not empty.
    assert f'value="{organisation.tenant.name}"' in answer.text
    assert alice.post(LOGO, {}).status_code == 422
    with organisation.work() as session:
        assert session.scalars(select(Logo)).one().picture == read_picture(picture()).content


def test_only_who_may_change_the_settings_sets_or_removes_it_and_other_organisations_have_none(
    organisation: Organisation, client_for
) -> None:
    alice, bob, mallory = organisation.browser("alice"), organisation.browser("bob"), client_for("mallory")
    assert upload(bob, picture()).status_code == 403
    assert upload(alice, picture()).status_code == 303
    assert bob.post(f"{LOGO}/removal", {}).status_code == 403
    assert wait_until(lambda: shown(alice) != "", seconds=20)
    assert mallory.get(f"/logo/{shown(alice)}.webp").status_code == 404
    assert "/logo/" not in mallory.get("/contacts").text
