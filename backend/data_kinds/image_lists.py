"""Lists of images, such as the pages of a letter: described by the mean of each."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.data_kinds.images import IMAGES, Picture
from dubito.backend.data_kinds.kind import DataKind
from dubito.backend.data_kinds.preview import Look
from dubito.backend.data_kinds.sample import MANY
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.state.facts import InputSpec


class ImageLists(DataKind[tuple[Picture, ...]]):
    """What an `<Image>` with a `valueList` shows."""

    name = "images"
    version = IMAGES.version
    title = "lists of images (the means of their features)"
    tags = MappingProxyType({"ImageList": {"resolver": ""}})
    by_address = True
    look = Look.BY_BROWSER
    each = IMAGES

    def choose(self, sample: TaskSample) -> InputSpec | None:
        """Read the images, unless they only go with rows of numbers."""
        return None if sample.measured_beside >= MANY else super().choose(sample)

    def decode(self, content: object, plan: ReadPlan) -> tuple[Picture, ...]:
        """Return the images that can be read, if there is one.

        Parameters
        ----------
        content : of each image the `Picture`, why it cannot be read, or what `IMAGES`
            decodes
        """
        if not isinstance(content, list) or not content:
            message = f"{plan.schema.source!r} holds no list of images"
            raise BadItemError(message)
        images = [_image(one, plan) for one in content[: self.most_parts]]
        if pictures := tuple(one for one in images if isinstance(one, Picture)):
            return pictures
        message = f"no image of the list can be read; of the first: {images[0]}"
        raise BadItemError(message)

    def describe(self, items: Sequence[tuple[Picture, ...]]) -> list[TaskInput]:
        """Describe each list by the mean numbers of its images."""
        return [_mean(IMAGES.describe(pictures)) for pictures in items]


def _image(content: object, plan: ReadPlan) -> Picture | BadItemError:
    if isinstance(content, Picture | BadItemError):
        return content
    try:
        return IMAGES.decode(content, plan)
    except BadItemError as error:
        return error


def _mean(images: Sequence[TaskInput]) -> TaskInput:
    """Return the mean of each number; all images have the same."""
    table = np.array([list(one.numbers.values()) for one in images])
    means = table.mean(axis=0).tolist()
    return TaskInput(numbers=dict(zip(images[0].numbers, means, strict=True)))


IMAGE_LISTS = ImageLists()
