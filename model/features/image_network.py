"""A pretrained network for images: arrays in, arrays out; the weights are given.

EfficientNet-Lite0 (Tan & Le 2019, without squeeze-and-excitation, with ReLU6), trained
on ImageNet. What its last block says of an image, averaged over the places, separates
things that people tell apart by their shape.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dubito.model.determinism import one_thread

SIDE = 128
"""Pixels: at 224, as in training, the numbers separate no better, and take 42 ms."""

WIDTH = 320
"""Numbers that describe an image."""

STRIDED = frozenset({1, 3, 5, 11})
"""Blocks that halve the width and the height."""

SMALLEST_VARIANCE = 1e-3
MIDDLE, SPREAD = 127.0, 128.0
BLOCK = re.compile(r"_blocks\.(\d+)\.")

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A convolution whose batch norm is folded into it.

    Attributes
    ----------
    kernel : (inputs, outputs), or (height, width, channels) of a depthwise one
    bias : (outputs,)
    """

    kernel: Plane
    bias: Plane

    def mix(self, plane: Plane) -> Plane:
        """Return (h, w, outputs) sums over the channels of each place."""
        rows = plane.reshape(-1, len(self.kernel)) @ self.kernel
        rows += self.bias
        return rows.reshape(*plane.shape[:2], -1)

    def blur(self, plane: Plane, stride: int) -> Plane:
        """Return sums over the neighbours of each place, for each channel."""
        reach = len(self.kernel)
        around = _padded(plane, reach, stride)
        size = len(plane) // stride
        total = np.empty((size, size, plane.shape[2]), dtype=np.float32)
        part = np.empty_like(total)
        total[:] = self.bias
        for row, column in np.ndindex(reach, reach):
            neighbours = _shifted(around, row, column, (size, stride))
            total += np.multiply(neighbours, self.kernel[row, column], out=part)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """An inverted residual: more channels, the neighbours, fewer channels."""

    expansion: Layer | None
    neighbours: Layer
    projection: Layer
    stride: int

    def apply(self, plane: Plane) -> Plane:
        """Return (h / stride, w / stride, outputs) of a (h, w, inputs) plane."""
        wide = plane if self.expansion is None else _cut(self.expansion.mix(plane))
        narrow = self.projection.mix(_cut(self.neighbours.blur(wide, self.stride)))
        return narrow + plane if narrow.shape == plane.shape else narrow


@dataclass(frozen=True, slots=True, eq=False)
class ImageNetwork:
    """The network without its head."""

    stem: Layer
    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Build the network from its weights, as PyTorch names them."""
        stem = _layer(weights, "_conv_stem", "_bn0")
        numbers = {int(match[1]) for name in weights if (match := BLOCK.match(name))}
        blocks = (_block(weights, number) for number in sorted(numbers))
        return cls(stem, tuple(blocks))

    def describe(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the (WIDTH,) numbers of an image of (SIDE, SIDE, 3) pixels."""
        plane = (pixels.astype(np.float32) - MIDDLE) / SPREAD
        with one_thread():
            plane = _cut(self.stem.mix(_unrolled(plane)))
            for block in self.blocks:
                plane = block.apply(plane)
        return np.asarray(plane.mean(axis=(0, 1)))


def _block(weights: Mapping[str, NDArray[Any]], number: int) -> Block:
    start = f"_blocks.{number}."
    is_wide = f"{start}_expand_conv.weight" in weights
    return Block(
        _layer(weights, f"{start}_expand_conv", f"{start}_bn0") if is_wide else None,
        _layer(weights, f"{start}_depthwise_conv", f"{start}_bn1"),
        _layer(weights, f"{start}_project_conv", f"{start}_bn2"),
        2 if number in STRIDED else 1,
    )


def _layer(weights: Mapping[str, NDArray[Any]], name: str, norm: str) -> Layer:
    """Return a convolution with its batch norm, which scales and shifts its sums."""
    kernel = weights[f"{name}.weight"]
    deviation = np.sqrt(weights[f"{norm}.running_var"] + SMALLEST_VARIANCE)
    scale = weights[f"{norm}.weight"] / deviation
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    scaled = kernel * scale[:, None, None, None]
    if kernel.shape[1] == 1:
        places = scaled[:, 0].transpose(1, 2, 0)
    else:
        places = scaled.transpose(2, 3, 1, 0).reshape(-1, len(kernel))
    return Layer(places.astype(np.float32), bias.astype(np.float32))


def _unrolled(plane: Plane) -> Plane:
    """Return the 3 x 3 neighbours of every second place, (h / 2, w / 2, 27)."""
    around, size = _padded(plane, 3, 2), len(plane) // 2
    return np.concatenate([*_windows(around, 3, size)], axis=2)


def _windows(around: Plane, reach: int, size: int) -> Iterator[Plane]:
    for row, column in np.ndindex(reach, reach):
        yield _shifted(around, row, column, (size, 2))


def _shifted(around: Plane, row: int, column: int, steps: tuple[int, int]) -> Plane:
    size, stride = steps
    end = size * stride
    return around[row : row + end : stride, column : column + end : stride]


def _padded(plane: Plane, reach: int, stride: int) -> Plane:
    """Return a plane with zeros around it, as many as TensorFlow's "same" adds."""
    height, width, channels = plane.shape
    missing = reach - stride
    before = missing // 2
    shape = (height + missing, width + missing, channels)
    around = np.zeros(shape, dtype=np.float32)
    around[before : before + height, before : before + width] = plane
    return around


def _cut(plane: Plane) -> Plane:
    return np.clip(plane, 0, 6, out=plane)
