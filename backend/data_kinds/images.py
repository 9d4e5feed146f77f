"""Images: decoded with care, made small, and described by numbers."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import threading
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dubito.backend.data_kinds.image_weights import image_network
from dubito.backend.data_kinds.kind import DataKind, ItemFile
from dubito.backend.data_kinds.preview import Look
from dubito.backend.state.pool import TaskInput
from dubito.model.determinism import one_thread
from dubito.model.errors import BadItemError
from dubito.model.features.image import SIDE, describe_image
from dubito.model.features.image_network import SIDE as NETWORK_SIDE
from dubito.model.features.mixed_columns import named_entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.state.facts import InputSpec

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
MOST_PIXELS = 40_000_000
LARGE_PIXELS = 4_000_000
"""Of larger images one is decoded at a time, for they need up to 30 bytes a pixel."""

REDUCED = frozenset({"L", "LA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
"""Kinds of pictures whose neighbouring pixels can be averaged as they are."""

NETWORK = "network"
"""The key of the vector that the pretrained network gives."""

INLINE = "data:image/"
REACHABLE = ("http://", "https://", "/", INLINE)
ALONE = threading.Lock()
"""A file of 100 kB may unpack to 160 MB: several at a time would fill the memory."""

# Pillow warns of an attack when it opens an image of more than 89 megapixels, which is
# refused before it is decoded. The filter is set once, for filters know no threads.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """An image that was made small.

    Attributes
    ----------
    pixels : (SIDE, SIDE, 3) colours
    detailed : (NETWORK_SIDE, NETWORK_SIDE, 3) colours
    width, height : what the image measured before
    """

    pixels: NDArray[np.uint8]
    detailed: NDArray[np.uint8]
    width: int
    height: int


class Images(DataKind[Picture]):
    """Images in files, or inside the data as `data:` addresses."""

    name = "image"
    title = "images (light and shade, edges, texture, colours, a pretrained network)"
    version = 1
    tags = MappingProxyType({"Image": {"valueList": "", "resolver": ""}})
    by_address = True
    in_files = True
    look = Look.BY_BROWSER

    def choose(self, sample: TaskSample) -> InputSpec | None:
        """Read the images, unless they only go with rows of numbers."""
        return super().choose(sample) if sample.has_files(REACHABLE) else None

    def address(self, content: object, plan: ReadPlan) -> str:  # noqa: ARG002
        """Return the address of the image; empty if the address holds the image."""
        address = _checked(content)
        return "" if address.startswith(INLINE) else address

    def decode(self, content: object, plan: ReadPlan) -> Picture:  # noqa: ARG002
        """Return the image of a file or of a `data:` address, made small."""
        if isinstance(content, ItemFile):
            raw = content.content
        else:
            raw = inline_image(_checked(content))
        return _small(raw)

    def describe(self, items: Sequence[Picture]) -> list[TaskInput]:
        """Describe images by numbers, one after another on one core."""
        with one_thread():
            return [TaskInput(numbers=_described(one)) for one in items]

    def may_wait(self, item: Picture) -> bool:  # noqa: ARG002
        """Return True: a small image needs 60 kB."""
        return True


def _described(image: Picture) -> dict[str, float]:
    """Return measured numbers, and one vector from the pretrained network."""
    numbers = describe_image(image.pixels, image.width, image.height)
    vector = image_network().describe(image.detailed)
    return numbers | named_entries(NETWORK, vector.tolist())


def _checked(content: object) -> str:
    if not isinstance(content, str) or not content.strip():
        message = "the task has no image address"
        raise BadItemError(message)
    return content.strip()


def inline_image(address: str) -> bytes:
    """Return the content of a `data:` address; raise `BadItemError` if broken."""
    try:
        return base64.b64decode(address.partition(",")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        message = "the image in the data is not valid base64"
        raise BadItemError(message) from error


def _small(content: bytes) -> Picture:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return made_small(image)
    except UnidentifiedImageError as error:
        message = (
            f"the file is not an image in a supported format: {', '.join(FORMATS)}"
        )
        raise BadItemError(message) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        message = f"the image is broken: {' '.join(str(error).split())}"
        raise BadItemError(message) from error


def made_small(image: Image.Image) -> Picture:
    """Return an image made small; raise `BadItemError` if it is endless."""
    if image.width * image.height > MOST_PIXELS:
        raise _too_large()
    is_large = image.width * image.height > LARGE_PIXELS
    with ALONE if is_large else nullcontext():
        return _shrunk(image)


def _shrunk(image: Image.Image) -> Picture:
    width, height = image.size
    image.draft("RGB", (4 * SIDE, 4 * SIDE))  # a JPEG is then decoded small
    upright = _coloured(ImageOps.exif_transpose(_reduced(image)))
    if (upright.width > upright.height) != (image.width > image.height):
        width, height = height, width
    return Picture(
        pixels=_resized(upright, SIDE),
        detailed=_resized(upright, NETWORK_SIDE),
        width=width,
        height=height,
    )


def _resized(image: Image.Image, side: int) -> NDArray[np.uint8]:
    small = image.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small, dtype=np.uint8)


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


IMAGES = Images()
