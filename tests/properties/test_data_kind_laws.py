"""Laws of every registered kind of data: a new kind is tested when it is registered."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubito.backend.data_kinds.kind import DataKind, ItemFile, ReadPlan
from dubito.backend.data_kinds.preview import ItemPreview
from dubito.backend.data_kinds.registry import (
    KINDS,
    kind_named,
    kind_shown_by,
    register,
    unregister,
)
from dubito.backend.data_kinds.sample import TaskSample
from dubito.backend.data_kinds.texts import Texts
from dubito.backend.data_kinds.unread import NOTHING
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.schema import Schema
from tests.examples import examples
from tests.extractor_package import install
from tests.pdf_files import Pixels, pdf
from tests.sounds import sound_file
from tests.strategies import json_values
from tests.videos import clip

LONGEST_REASON = 2_000
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
PAGE: Pixels = np.zeros((2, 2, 3), np.uint8)
STORED = {
    "numbers",
    "text",
    "text and numbers",
    "table",
    "html",
    "dialogue",
    "pdf",
    "recording",
    "image",
    "images",
    "audio",
    "video",
    "objects",
    "pair",
    "extracted",
    "recording-units",
    "text-words",
    "sound-units",
    "html-words",
    "dialogue-words",
    "video-units",
    "nothing",
}


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a kind must read, and what it must refuse."""

    good: object
    wrong: tuple[object, ...]


CONTENTS: Mapping[str, Contents] = {
    "numbers": Contents(good={"item": 1.5}, wrong=(1.5, "1.5", [1.5])),
    "text and numbers": Contents(good={"item": "good"}, wrong=(1.5, "good", ["good"])),
    "table": Contents(good=[{"item": "good"}], wrong=(1.5, "good", [], {})),
    "text": Contents(good="good", wrong=({"item": "good"},)),
    "html": Contents(
        good="<p>good</p>", wrong=({"item": "good"}, "<p> </p>", "<script>x</script>")
    ),
    "dialogue": Contents(
        good=[{"author": "A", "text": "good"}],
        wrong=(1.5, "good", ["good"], {"item": "good"}, [{"author": "A"}]),
    ),
    "pdf": Contents(
        good=ItemFile(address="/a.pdf", content=pdf("good", PAGE)),
        wrong=(1.5, "good", ["good"], ItemFile(address="/a.pdf", content=b"%PDF-1.7")),
    ),
    "recording": Contents(
        good={"a": [0.5, 1.5, 2.5]}, wrong=(1.5, "a,b", [1.5], {"a": 1.5})
    ),
    "image": Contents(good=DOT, wrong=(1.5, [DOT], {"item": DOT}, "no address")),
    "audio": Contents(
        good=ItemFile(address="/a.wav", content=sound_file()),
        wrong=(1.5, "/a.wav", [1.5], {"a": 1.5}),
    ),
    "video": Contents(
        good=ItemFile(address="/a.mp4", content=clip()),
        wrong=(1.5, "/a.mp4", [1.5], {"a": 1.5}),
    ),
    "images": Contents(
        good=[DOT, "no image"], wrong=(1.5, DOT, {"item": DOT}, ["no image"])
    ),
    "objects": Contents(
        good={"": TaskInput(text="good"), "b": TaskInput(refused="no words")},
        wrong=(1.5, "good", ["good"], {"": TaskInput(refused="no words")}),
    ),
    "pair": Contents(
        good={"": TaskInput(text="good"), "b": TaskInput(text="bad")},
        wrong=(
            *(1.5, "good", ["good"], {"": TaskInput(text="good")}),
            {"": TaskInput(text="good"), "b": TaskInput(refused="no words")},
        ),
    ),
    "extracted": Contents(good="good", wrong=(1.5, ["good"], {"item": "good"})),
    "recording-units": Contents(
        good={"a": [0.5, 1.5, 2.5]}, wrong=(1.5, "a,b", [1.5], {"a": 1.5})
    ),
    "text-words": Contents(good=" good", wrong=({"item": "good"},)),
    "sound-units": Contents(
        good=ItemFile(address="/a.wav", content=sound_file()),
        wrong=(1.5, "/a.wav", [1.5], {"a": 1.5}),
    ),
    "html-words": Contents(
        good="<p>good</p>", wrong=({"item": "good"}, "<p> </p>", "<script>x</script>")
    ),
    "dialogue-words": Contents(
        good=[{"author": "A", "text": "good"}],
        wrong=(1.5, "good", ["good"], {"item": "good"}, [{"author": "A"}]),
    ),
    "video-units": Contents(
        good=ItemFile(address="/a.mp4", content=clip(seconds=0.5)),
        wrong=(1.5, "/a.mp4", [1.5], {"a": 1.5}),
    ),
    "nothing": Contents(good=None, wrong=(1.5, "good", {"item": 1.5})),
}
"""A kind that is registered needs an entry here."""

EMPTY: list[object] = [None, "", "  ", [], ItemFile(address="/a", content=b"")]
ZEROS = ItemFile(address="/a", content=bytes(5_000_000))
NOISE = ItemFile(
    address="/" + "a" * 10_000,
    content=b"\0" + np.random.default_rng(0).bytes(1_000_000),
)


@pytest.fixture(scope="module", autouse=True)
def extractor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    directory = tmp_path_factory.mktemp("package")
    install(directory)
    yield
    sys.path.remove(str(directory))


def nested(depth: int) -> list[object]:
    """Build lists inside lists, as deep as JSON of Label Studio may go."""
    inner: list[object] = []
    for _ in range(depth):
        inner = [inner]
    return inner


DEEP = nested(1_000)
MANY = 200_000
"""More than any kind takes as columns, entries or letters."""

HUGE = {
    "a deep list": DEEP,
    "an entry of deep lists": {"item": DEEP},
    "a text of 5 MB": "word " * 1_000_000,
    "an entry of 5 MB": {"item": "word " * 1_000_000},
    "many entries": {str(number): number / 2 for number in range(MANY)},
    "many values": [0.5] * MANY,
    "a number without end": 10**5_000,
    "an entry without end": {"item": 10**5_000},
}


def plan_of(kind: DataKind[Any]) -> ReadPlan:
    """Return the plan of a project whose tag shows the entry `item`."""
    shown = Schema(
        control="label",
        target="shown",
        classes=("a", "b"),
        tag=next(iter(kind.tags), "Text"),
        key="item",
        is_address=kind.by_address,
    )
    reads = InputSpec(kind=kind.name, keys=("item",), extractor="letters")
    return ReadPlan(schema=shown, reads=reads)


def decoded(kind: DataKind[Any], content: object) -> object:
    """Return an item, or the error that says why there is none."""
    plan = plan_of(kind)
    try:
        if not isinstance(content, ItemFile):
            assert isinstance(kind.address(content, plan), str)
        return kind.decode(content, plan)
    except BadItemError as error:
        return error


def outcome(kind: DataKind[Any], content: object) -> TaskInput | str:
    """Return what is learnt from some content, or the sentence that refuses it."""
    item = decoded(kind, content)
    if isinstance(item, BadItemError):
        assert 0 < len(str(item)) < LONGEST_REASON
        return str(item)
    assert isinstance(kind.may_wait(item), bool)
    assert isinstance(kind.preview(item, ItemPreview()), ItemPreview)
    [described] = kind.describe([item])
    if described.refused:
        return described.refused
    assert np.isfinite(list(described.numbers.values())).all()
    assert described.numbers or described.text is not None
    return described


every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
READABLE = {name: kind for name, kind in KINDS.items() if name != NOTHING}
every_readable_kind = pytest.mark.parametrize("kind", READABLE.values(), ids=READABLE)


@every_readable_kind
def test_a_good_item_is_read(kind: DataKind[Any]) -> None:
    assert isinstance(outcome(kind, CONTENTS[kind.name].good), TaskInput)


@every_kind
def test_content_of_a_wrong_type_is_refused_with_a_sentence(
    kind: DataKind[Any],
) -> None:
    reasons = [outcome(kind, content) for content in CONTENTS[kind.name].wrong]

    assert all(isinstance(reason, str) for reason in reasons)


@every_kind
def test_empty_content_is_refused_with_a_sentence(kind: DataKind[Any]) -> None:
    assert all(isinstance(outcome(kind, content), str) for content in EMPTY)


@every_kind
@pytest.mark.parametrize("file", [ZEROS, NOISE], ids=["zeros", "noise"])
def test_a_file_of_garbage_is_refused_with_a_sentence(
    kind: DataKind[Any], file: ItemFile
) -> None:
    assert isinstance(outcome(kind, file), str)


@pytest.mark.slow
@every_kind
@pytest.mark.parametrize("content", HUGE.values(), ids=HUGE)
def test_huge_content_is_read_or_refused(kind: DataKind[Any], content: object) -> None:
    outcome(kind, content)


@every_kind
@pytest.mark.parametrize("content", HUGE.values(), ids=HUGE)
def test_what_to_read_is_chosen_whatever_the_tasks_hold(
    kind: DataKind[Any], content: object
) -> None:
    shown = plan_of(kind).schema

    chosen = kind.choose(TaskSample(schema=shown, data=[{"item": content}] * 3))

    assert chosen is None or chosen.kind in KINDS


contents = (
    json_values
    | st.dictionaries(st.sampled_from(["item", "a", "b"]), json_values, max_size=3)
    | st.binary(max_size=80).map(lambda raw: ItemFile(address="/a", content=raw))
)


@pytest.mark.slow
@every_kind
@examples(25)
@given(content=contents)
def test_any_content_is_read_alike_twice_or_refused(
    kind: DataKind[Any], content: object
) -> None:
    """Laws 5 and 9; what was decoded is described and shown without an error."""
    assert outcome(kind, content) == outcome(kind, content)


@pytest.mark.slow
@every_readable_kind
def test_what_is_learnt_from_an_item_does_not_depend_on_others(
    kind: DataKind[Any],
) -> None:
    item = kind.decode(CONTENTS[kind.name].good, plan_of(kind))

    alone, *others = kind.describe([item]) + kind.describe([item, item, item])

    assert kind.describe([]) == []
    assert others == [alone] * 3


def test_the_names_that_are_stored_stay() -> None:
    """Redis and exported models hold them."""
    assert KINDS.keys() >= STORED
    assert all(kind.name == name for name, kind in KINDS.items())


def test_no_two_kinds_have_one_name_or_one_tag() -> None:
    class Twin(Texts):
        name = "twin"

    with pytest.raises(ValueError, match="'text'"):
        register(Texts())
    with pytest.raises(ValueError, match="a tag of 'twin'"):
        register(Twin())
    assert "twin" not in KINDS


def test_tasks_of_a_kind_that_is_gone_are_set_aside_with_its_name() -> None:
    class Gone(Texts):
        name = "gone"
        tags = MappingProxyType({"List": {}})

    register(Gone())
    assert kind_shown_by("List") is kind_named("gone")
    plan = plan_of(kind_named("gone"))
    unregister("gone")

    assert kind_shown_by("List") is None
    with pytest.raises(BadItemError, match="no kind of data named 'gone'"):
        kind_named("gone").decode({"item": "good"}, plan)
