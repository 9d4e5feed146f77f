"""A pretrained network for images, and how its weights are read."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from dubito.backend.data_kinds.image_weights import image_network
from dubito.backend.data_kinds.torch_weights import WeightsError, read_weights
from dubito.model.features.image_network import SIDE, WIDTH

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
HEAD = MAGIC + b"\x80\x02M\xe9\x03." + b"\x80\x02}."
TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"
STORAGE = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0aX\x03\0\0\0cpuK\x06NtQ"


def written(shape: bytes, steps: bytes) -> bytes:
    """Write a dictionary with one tensor of six numbers, as PyTorch does."""
    tensor = TENSOR + b"(" + STORAGE + b"K\0" + shape + steps + b"\x89}tR"
    keys = b"\x80\x02](X\x01\0\0\0ae."
    numbers = (6).to_bytes(8, "little") + np.arange(6, dtype="<f4").tobytes()
    return HEAD + b"\x80\x02}X\x01\0\0\0w" + tensor + b"s." + keys + numbers


def disc(left: int, top: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:SIDE, :SIDE]
    inside = (x - left) ** 2 + (y - top) ** 2 < 24**2
    return np.repeat(np.where(inside, 230, 20)[..., None], 3, axis=2).astype(np.uint8)


def cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_tensors_are_read_in_any_order_of_their_numbers() -> None:
    by_rows = read_weights(written(b"K\x02K\x03\x86", b"K\x03K\x01\x86"))
    by_columns = read_weights(written(b"K\x02K\x03\x86", b"K\x01K\x02\x86"))

    assert by_rows["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert by_columns["w"].tolist() == [[0, 2, 4], [1, 3, 5]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cannot be read"),
        (bytes(1_000), "cannot be read"),
        (HEAD + b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.", "os system"),
        (HEAD + b"\x80\x02ctorch\nFloatStorage\n)R.", "FloatStorage is not called"),
        (HEAD + b"\x80\x02K\x01." * 2, "no dictionary"),
        (written(b"K\x02K\x04\x86", b"K\x03K\x01\x86"), "beyond its storage"),
        (written(b"K\x02K\x03\x86", b"K\x03K\x01\x86")[:-20], "beyond"),
    ],
    ids=["empty", "zeros", "a command", "a call", "a number", "too large", "cut"],
)
def test_what_is_no_dictionary_of_tensors_is_refused(
    content: bytes, reason: str
) -> None:
    with pytest.raises(WeightsError, match=reason):
        read_weights(content)


def test_the_network_says_what_it_has_always_said() -> None:
    """The whole network names a palace and a daisy on scikit-learn's two photos."""
    y, x = np.mgrid[:SIDE, :SIDE]
    pixels = np.dstack([2 * x, 2 * y, x + y]).astype(np.uint8)

    vector = image_network().describe(pixels)

    assert vector.shape == (WIDTH,)
    assert vector[:4] == pytest.approx(
        [
            1.5542000532150269,
            2.9737000465393066,
            -0.6363999843597412,
            1.7718000411987305,
        ],
        abs=1e-3,
    )


def test_alike_drawings_have_alike_vectors() -> None:
    stripes = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    stripes[:, ::8] = stripes[:, 1::8] = 255
    network = image_network()

    one, other = network.describe(disc(40, 50)), network.describe(disc(80, 70))

    assert cosine(one, other) > cosine(one, network.describe(stripes)) + 0.1


@pytest.mark.slow
def test_the_weights_are_read_when_they_are_needed() -> None:
    code = (
        "import dubito.backend.data_kinds.registry\n"
        "from dubito.backend.data_kinds.image_weights import image_network\n"
        "assert not image_network.cache_info().currsize"
    )

    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603
