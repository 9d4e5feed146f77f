"""An image, read as the image of a task is."""

from collections.abc import Callable

from dubito.backend.data_kinds.images import IMAGES
from dubito.backend.data_kinds.kind import ItemFile, ReadPlan
from dubito.backend.state.facts import InputSpec
from dubito.model.schema import Schema

PLAN = ReadPlan(
    schema=Schema(control="c", target="t", classes=("a", "b"), tag="Image", key="i"),
    reads=InputSpec(kind="image", keys=("i",)),
)


def read_picture(content: object, fetch: Callable[[str], bytes]) -> dict[str, float]:
    """Describe an image; `fetch` returns the content of a file."""
    address = IMAGES.address(content, PLAN)
    if address:
        content = ItemFile(address=address, content=fetch(address))
    [described] = IMAGES.describe([IMAGES.decode(content, PLAN)])
    return {**described.numbers}
