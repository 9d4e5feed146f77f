"""Images as they come: formats, modes, sizes, and files that are none."""

import base64
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dubito.backend.data_kinds.images import NETWORK, made_small
from dubito.model.errors import BadItemError
from dubito.model.features.image import SIDE, describe_image
from tests.pictures import read_picture

FORMATS = ["PNG", "JPEG", "GIF", "WEBP", "BMP"]
MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I", "I;16", "F"]
TURNED_LEFT = 8
ORIENTATION = 0x0112


def drawing(width: int = 96, height: int = 64) -> Image.Image:
    """Draw a bright disc at the left of a dark ground that reddens to the right."""
    y, x = np.mgrid[:height, :width]
    disc = (x - width / 4) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2
    red = np.where(disc, 255, 120 * x / width)
    rest = np.where(disc, 255, 0)
    return Image.fromarray(np.dstack([red, rest, rest]).astype(np.uint8))


def written(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def described(content: bytes) -> dict[str, float]:
    return read_picture("/a.png", lambda _: content)


def distance(one: dict[str, float], other: dict[str, float]) -> float:
    measured = [name for name in one if not name.startswith(NETWORK)]
    return float(np.mean([abs(one[name] - other[name]) for name in measured]))


def likeness(one: dict[str, float], other: dict[str, float]) -> float:
    """Return the cosine of what the network says of two images."""
    first, second = block(one, NETWORK), block(other, NETWORK)
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def refused(content: bytes) -> str:
    with pytest.raises(BadItemError) as error:
        described(content)
    return str(error.value)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_image_is_described_alike_in_any_format(kind: str) -> None:
    description, known = (
        described(written(drawing(), kind)),
        described(written(drawing())),
    )

    assert distance(description, known) < 0.03
    assert likeness(description, known) > 0.8


@pytest.mark.parametrize("mode", MODES)
def test_an_image_may_have_any_mode(mode: str) -> None:
    by_way_of = "L" if mode in {"I;16", "F", "PA"} else "RGB"

    pixels = made_small(drawing().convert(by_way_of).convert(mode)).pixels

    assert pixels.shape == (SIDE, SIDE, 3)
    assert pixels[SIDE // 2, SIDE // 4].min() > pixels[4, 4].max()


def test_sixteen_bits_are_as_good_as_eight() -> None:
    grey = np.asarray(drawing().convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)

    description = described(written(deep))

    assert distance(description, described(written(drawing().convert("L")))) < 0.001


def test_the_way_a_camera_was_held_does_not_matter() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED_LEFT
    turned = drawing().transpose(Image.Transpose.ROTATE_270)

    description = described(written(turned, "PNG", exif=exif))

    assert distance(description, described(written(drawing()))) < 1e-6


def test_what_is_transparent_is_white() -> None:
    clear = drawing().convert("RGBA")
    clear.putalpha(0)
    white = Image.new("RGB", drawing().size, "white")

    assert described(written(clear)) == described(written(white))


def test_an_image_may_stand_in_the_data() -> None:
    inline = base64.b64encode(written(drawing())).decode()

    def fetch(address: str) -> bytes:
        raise AssertionError(address)

    picture = read_picture(f" data:image/png;base64,{inline}", fetch)

    assert picture == described(written(drawing()))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2), (2000, 1500)])
@pytest.mark.parametrize("kind", FORMATS)
def test_an_image_may_have_any_size(size: tuple[int, int], kind: str) -> None:
    description = described(written(drawing(*size), kind))

    assert np.isfinite(list(description.values())).all()
    assert description["shape 0"] == pytest.approx(np.log(size[0] / size[1]))


@pytest.mark.parametrize("colour", ["black", "white", "red"])
def test_an_image_of_one_colour_is_described(colour: str) -> None:
    description = described(written(Image.new("RGB", (20, 20), colour)))

    assert np.isfinite(list(description.values())).all()
    assert {description[name] for name in description if name.startswith("edge")} == {
        0.0
    }


def test_an_endless_image_is_refused_before_it_is_decoded() -> None:
    """Few bytes can unpack to more than a machine has."""
    bomb = written(Image.new("1", (7_000, 6_000)))

    assert len(bomb) < 50_000
    assert refused(bomb) == "the image has more than 40 megapixels"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["RGB", "P", "I;16"])
def test_a_large_image_is_described_as_the_same_image_made_smaller(mode: str) -> None:
    large = drawing().convert("L").resize((5_100, 3_400)).convert(mode)
    small = drawing().convert("L").resize((510, 340)).convert(mode)

    description = described(written(large, compress_level=1))

    assert distance(description, described(written(small))) < 0.05


MEMORY = """
import io, threading
from pathlib import Path
from PIL import Image
from tests.pictures import read_picture

file = io.BytesIO()
Image.new("RGB", (6_300, 6_300)).save(file, "PNG", compress_level=1)
asked = ("/a", lambda _: file.getvalue())
readers = [threading.Thread(target=read_picture, args=asked) for _ in range(4)]
for one in readers: one.start()
for one in readers: one.join()
# Not ru_maxrss: that of a new process begins with what its parent had.
lines = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) for line in lines if "VmHWM" in line) // 1024)
"""


@pytest.mark.slow
def test_large_images_read_side_by_side_leave_memory_for_others() -> None:
    """Four such files of 200 kB took 1.8 GB; a worker may have 2."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", MEMORY],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert int(done.stdout) < 900


def test_an_image_that_pillow_itself_calls_a_bomb_is_refused() -> None:
    bomb = bytearray(written(Image.new("1", (10, 10))))
    bomb[16:24] = (60_000).to_bytes(4) * 2

    assert refused(bytes(bomb))


HUGE = """
import io
from PIL import Image
from dubito.model.errors import BadItemError
from tests.pictures import read_picture

file = io.BytesIO()
Image.new("1", (10, 10)).save(file, "BMP")
huge = bytearray(file.getvalue())
huge[18:26] = (12_000).to_bytes(4, "little") * 2
try:
    read_picture("/a", lambda _: bytes(huge))
except BadItemError as error:
    print(error)
"""


def test_of_a_huge_image_the_log_has_no_warning_of_an_attack() -> None:
    """Pytest has filters of its own, so a process of its own reads the image."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", HUGE],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "the image has more than 40 megapixels\n"
    assert done.stderr == ""


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_breaks_off_is_refused(kind: str) -> None:
    whole = written(drawing(), kind)

    assert refused(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"<svg/>", b"\x89PNG\r\n\x1a\n", bytes(100)]
)
def test_a_file_that_is_no_image_is_refused(content: bytes) -> None:
    assert "PNG, JPEG, GIF, WEBP, BMP" in refused(content)


def test_a_format_that_is_not_listed_is_not_tried() -> None:
    """Each further decoder is a further risk."""
    assert "not an image" in refused(written(drawing(), "TIFF"))


@pytest.mark.parametrize("address", [None, "", "  ", 3, ["a.png"], "data:image/png,?"])
def test_what_leads_to_no_image_is_refused(address: object) -> None:
    with pytest.raises(BadItemError):
        read_picture(address, lambda _: b"")


def block(description: dict[str, float], name: str) -> np.ndarray:
    return np.array([description[one] for one in description if one.startswith(name)])


def test_a_shifted_brightness_leaves_the_edges_nearly_as_they_are() -> None:
    dim = drawing().point(lambda value: value // 2)

    one, other = described(written(drawing())), described(written(dim))

    assert np.abs(block(one, "edge") - block(other, "edge")).max() < 0.05
    assert np.abs(block(one, "light") - block(other, "light")).max() > 0.2


def test_upright_edges_are_told_from_lying_ones() -> None:
    stripes = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    stripes[:, ::4] = stripes[:, 1::4] = 255

    upright = block(describe_image(stripes, SIDE, SIDE), "edge")
    lying = block(describe_image(stripes.transpose(1, 0, 2), SIDE, SIDE), "edge")

    assert upright.argmax() % 8 == 0
    assert lying.argmax() % 8 == 4


def test_colours_are_told_apart_that_are_equally_light() -> None:
    red, green = (Image.new("RGB", (9, 9), c) for c in [(255, 0, 0), (0, 130, 0)])

    one, other = described(written(red)), described(written(green))

    assert np.abs(block(one, "light") - block(other, "light")).max() < 0.01
    assert np.abs(block(one, "colour") - block(other, "colour")).max() > 0.5
