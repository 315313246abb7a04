"""An uploaded picture becomes a small WebP file: its pixels are drawn anew, so nothing else of the upload is kept.

No SVG: it may hold scripts and links.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

# Imported by name: without it Pillow loads every format that it knows as soon as a WebP file comes.
from PIL import Image, ImageOps, UnidentifiedImageError, WebPImagePlugin

from qikbiz.kernel.errors import Failure

MOST_UPLOADED_BYTES = 512 * 1000
LEAST_PIXELS, MOST_PIXELS = 16, 3000
# Four times the height on the sign-in page, for screens with many pixels; and wide enough for a word beside a sign.
BOX = (512, 160)
# Below the 131,072 characters that a cell of CSV may have for many readers, also when it is written as hexadecimal.
MOST_STORED_BYTES = 48 * 1024
LOSSLESS, QUALITIES = 100, (90, 70, 40, 10)
_FORMATS = (
    ("PNG", 0, b"\x89PNG\r\n\x1a\n"),
    ("JPEG", 0, b"\xff\xd8\xff"),
    (WebPImagePlugin.WebPImageFile.format, 8, b"WEBP"),
)
# What Pillow raises for files that are cut off or wrong inside.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, MemoryError,
           struct.error, zlib.error)  # fmt: skip


class BadPicture(Failure):
    """The upload can't be shown as a logo. The text says why, for the person."""

    status = 422


@dataclass(frozen=True, slots=True)
class Picture:
    """A WebP file of `width` by `height` pixels, within BOX and MOST_STORED_BYTES."""

    content: bytes
    width: int
    height: int

    @property
    def name(self) -> str:
        """Another picture has another name, so that browsers may keep each for ever."""
        return f"{sha256(self.content).hexdigest()[:32]}-{self.width}x{self.height}"


def read_picture(content: bytes) -> Picture:
    """Draw an uploaded PNG, JPEG or WebP file anew. Its bytes say what it is; its name is not looked at.

    Raises BadPicture.
    """
    if not content:
        raise BadPicture("Choose a picture.")
    if len(content) > MOST_UPLOADED_BYTES:
        raise BadPicture(
            f"The file is larger than {MOST_UPLOADED_BYTES // 1000} kB. Save it smaller and upload it again."
        )
    found = next((kind for kind, at, mark in _FORMATS if content.startswith(mark, at)), None)
    if found is None:
        raise BadPicture("This is not a PNG, JPEG or WebP file. Save the picture as one of them and upload it again.")
    try:
        with Image.open(BytesIO(content), formats=[found]) as image:
            _check_size(*image.size)
            return _drawn_anew(image)
    except Image.DecompressionBombError as error:
        raise BadPicture(
            f"The picture has too many pixels. The maximum is {MOST_PIXELS:,} in each direction."
        ) from error
    except (UnidentifiedImageError, *_BROKEN) as error:
        raise BadPicture("The picture can't be read: the file is damaged. Save it again and upload it.") from error


def _check_size(width: int, height: int) -> None:
    # Known from the heading of the file, before any pixel is unpacked: a small file may hold a giant picture.
    if max(width, height) > MOST_PIXELS:
        raise BadPicture(
            f"The picture is {width} by {height} pixels. The maximum is {MOST_PIXELS:,} in each direction."
        )
    if min(width, height) < LEAST_PIXELS:
        raise BadPicture(f"The picture is {width} by {height} pixels. The minimum is {LEAST_PIXELS} in each direction.")


def _drawn_anew(image: Image.Image) -> Picture:
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail(BOX)
    has_alpha = upright.has_transparency_data
    pixels = upright.convert("RGBA" if has_alpha else "RGB")
    for quality in (LOSSLESS, *QUALITIES):
        written = BytesIO()
        # A new file without `exif`, `icc_profile` and `xmp`: where the picture was taken stays with its owner.
        pixels.save(written, "WEBP", lossless=quality == LOSSLESS, quality=quality, exif=b"", icc_profile=b"", xmp=b"")
        if written.tell() <= MOST_STORED_BYTES:
            return Picture(written.getvalue(), *pixels.size)
    raise BadPicture("The picture has too much detail for a logo. Upload a simpler one.")
