"""Tasks that are images."""

import numpy as np
from numpy.typing import NDArray

SIDE = 64
"""Images are described at this width and height."""

CELLS = 8
"""Along each side: what is told of places is told of so many."""

ANGLES = 8
LEVELS = 8
QUARTERS = 4


def describe_image(
    pixels: NDArray[np.uint8], width: int, height: int
) -> dict[str, float]:
    """Sum up an image: where it is light, its edges, its texture and its colours.

    Parameters
    ----------
    pixels : (SIDE, SIDE, 3) red, green and blue
    width, height : what the image measured before it was made small
    """
    colours = pixels.astype(np.float64) / 255
    grey = colours @ np.array([0.299, 0.587, 0.114])
    blocks = {
        "light": _means(grey, CELLS),
        "edge": _edges(grey),
        "texture": _texture(grey),
        "colour": np.array(_colours(colours, grey)),
        "shape": np.array([np.log(width / height), np.log(width * height)]),
    }
    return {
        f"{name} {place}": value
        for name, block in blocks.items()
        for place, value in enumerate(block.ravel().tolist())
    }


def _means(plane: NDArray[np.float64], cells: int) -> NDArray[np.float64]:
    """Return the (cells, cells, …) means of equal parts of a plane."""
    step = SIDE // cells
    parts = plane.reshape(cells, step, cells, step, *plane.shape[2:])
    return np.asarray(parts.mean(axis=(1, 3)))


def _edges(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how strong the edges of each angle are in each part.

    Histograms of oriented gradients (Dalal & Triggs 2005), each part by the length of
    its own and, so that faint images count, of the whole.
    """
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    turn = np.mod(np.arctan2(down, right), np.pi) / np.pi * ANGLES
    below = np.floor(turn).astype(int)
    rest = turn - below
    planes = np.zeros((SIDE, SIDE, ANGLES))
    rows, columns = np.indices(grey.shape)
    planes[rows, columns, below % ANGLES] += strength * (1 - rest)
    planes[rows, columns, (below + 1) % ANGLES] += strength * rest
    parts = _means(planes, QUARTERS)
    length = np.sqrt(np.square(parts).sum(axis=2, keepdims=True))
    return np.asarray(parts / (length + length.mean() + 1e-3))


def _texture(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how often which pattern of lighter neighbours is met.

    Local binary patterns (Ojala et al. 2002), uniform and rotation invariant: by the
    number of lighter neighbours where they lie side by side, one bin for all others.
    """
    inner = grey[1:-1, 1:-1]
    around = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    last = SIDE - 2
    lighter = np.stack(
        [grey[y : y + last, x : x + last] > inner + 1e-3 for y, x in around]
    )
    changes = (lighter != np.roll(lighter, 1, axis=0)).sum(axis=0)
    pattern = np.where(changes <= 2, lighter.sum(axis=0), len(around) + 1)
    return np.bincount(pattern.ravel(), minlength=len(around) + 2) / pattern.size


def _colours(colours: NDArray[np.float64], grey: NDArray[np.float64]) -> list[float]:
    """Return how light and of which hue it is how often, and the tints of places.

    Without colours all but the first are constant, and so no columns.
    """
    level = np.minimum((grey * LEVELS).astype(int), LEVELS - 1)
    light = np.bincount(level.ravel(), minlength=LEVELS) / SIDE**2
    warm, green = colours[..., 0] - colours[..., 2], colours[..., 1] - grey
    turn = np.mod(np.arctan2(green, warm) / (2 * np.pi), 1.0)
    hue = np.minimum((turn * LEVELS).astype(int), LEVELS - 1)
    strength = np.hypot(warm, green)
    hues = np.bincount(hue.ravel(), strength.ravel(), minlength=LEVELS) / SIDE**2
    tints = _means(np.stack([warm, green], axis=-1), QUARTERS)
    return [*light.tolist(), *hues.tolist(), *tints.ravel().tolist()]
