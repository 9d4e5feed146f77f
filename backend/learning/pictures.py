"""A task's image, as numbers: decoded with care, made small, and described."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from model.errors import BadItemError
from model.features.image import SIDE, describe_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
MOST_PIXELS = 40_000_000
LARGE_PIXELS = 4_000_000
REDUCED = frozenset({"L", "LA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
"""Kinds of pictures whose neighbouring pixels can be averaged as they are."""

ALONE = threading.Lock()
"""A file of 100 kB may unpack to 160 MB: several at a time would fill the memory."""

LARGE = 4_000_000
"""Pixels: of larger images one is decoded at a time, for they need up to 30 bytes each.
"""

INLINE = "data:image/"
_TURN = threading.Lock()


def read_picture(address: object, fetch: Callable[[str], bytes]) -> dict[str, float]:
    """Describe an image by numbers.

    Parameters
    ----------
    address : of the file; a `data:` address holds it
    fetch : returns the content of a file

    Raises
    ------
    BadItemError
        if there is no image, or none that can be read
    """
    if not isinstance(address, str) or not address.strip():
        message = "there is no address of an image"
        raise BadItemError(message)
    given = address.strip()
    content = _inline(given) if given.startswith(INLINE) else fetch(given)
    return describe_image(*_small(content))


def _inline(address: str) -> bytes:
    try:
        return base64.b64decode(address.partition(",")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        message = "the image in the data is not written in base64"
        raise BadItemError(message) from error


def _small(content: bytes) -> tuple[NDArray[np.uint8], int, int]:
    """Return the image as (SIDE, SIDE, 3) colours, and its width and height."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            is_large = image.width * image.height > LARGE_PIXELS
            with ALONE if is_large else nullcontext():
                return made_small(image)
    except UnidentifiedImageError as error:
        message = f"the file is no image of a kind that is read: {', '.join(FORMATS)}"
        raise BadItemError(message) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        message = f"the image is broken: {' '.join(str(error).split())}"
        raise BadItemError(message) from error


def made_small(image: Image.Image) -> tuple[NDArray[np.uint8], int, int]:
    """Return an image as (SIDE, SIDE, 3) colours, and its width and height."""
    if image.width * image.height > MOST_PIXELS:
        raise _too_large()
    is_large = image.width * image.height > LARGE
    with _TURN if is_large else nullcontext():
        return _shrunk(image)


def _shrunk(image: Image.Image) -> tuple[NDArray[np.uint8], int, int]:
    width, height = image.size
    image.draft("RGB", (4 * SIDE, 4 * SIDE))  # a JPEG is then decoded small
    upright = _coloured(ImageOps.exif_transpose(_reduced(image)))
    if (upright.width > upright.height) != (image.width > image.height):
        width, height = height, width
    small = upright.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small, dtype=np.uint8), width, height


def _reduced(image: Image.Image) -> Image.Image:
    """Return a large image smaller, before copies of the whole are made."""
    factor = int((image.width * image.height / LARGE_PIXELS) ** 0.5)
    if factor < 2:
        return image
    if image.mode in REDUCED:
        return image.reduce(factor)
    size = max(1, image.width // factor), max(1, image.height // factor)
    return image.resize(size, Image.Resampling.NEAREST)


def _coloured(image: Image.Image) -> Image.Image:
    """Return an image in RGB, on white where it is transparent."""
    if image.mode.startswith(("I", "F")):  # 16 bits and more, of which 8 are kept
        values = np.asarray(image, dtype=np.float64)
        scaled = values * (255 / max(float(values.max()), 255.0))
        return Image.fromarray(scaled.clip(0, 255).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    ground = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(ground, layer).convert("RGB")


def _too_large() -> BadItemError:
    return BadItemError(
        f"the image has more than {MOST_PIXELS // 1_000_000} megapixels"
    )
