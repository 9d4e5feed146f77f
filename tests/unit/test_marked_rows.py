"""Auto-labels in Label Studio's words, where they answer several questions."""

from dataclasses import replace

import orjson

from dubito.backend.autolabel.marked_rows import (
    is_writable,
    marked_row,
    passes_bulk_import,
)
from dubito.backend.records import MARK
from dubito.backend.state import keys
from dubito.backend.state.autolabel import AutolabelJob, AutolabelRow
from dubito.backend.state.project import ProjectState
from tests.unit.test_joint_answers import FAULT, TONE, TOPIC

SCHEMAS = (TOPIC, TONE, FAULT)


def label(topic: str, tone: str = "c") -> AutolabelRow:
    others = {"tone": tone, "fault": "b"}
    return AutolabelRow(label=topic, certainty=0.5, others=others)


def controls_in(row: dict[str, object]) -> list[object]:
    regions = row["result"]
    assert isinstance(regions, list)
    assert len({region["id"] for region in regions}) == len(regions)
    assert all(MARK in region["meta"] for region in regions)
    return [region["from_name"] for region in regions]


def test_a_row_answers_what_the_editor_shows() -> None:
    assert controls_in(marked_row(SCHEMAS, label("a"))) == ["topic", "tone", "fault"]
    assert controls_in(marked_row(SCHEMAS, label("b"))) == ["topic", "fault"]


def test_only_an_answer_that_is_shown_must_be_one_of_the_classes() -> None:
    assert not is_writable(SCHEMAS, label("a", tone="gone"))
    assert is_writable(SCHEMAS, label("b", tone="gone"))
    assert not is_writable(SCHEMAS, label("gone"))


def test_one_answer_that_a_bulk_call_drops_keeps_the_others_from_it() -> None:
    paths = replace(TONE, as_paths=True)

    assert passes_bulk_import(SCHEMAS)
    assert not passes_bulk_import((TOPIC, paths, FAULT))


def test_labels_outlive_the_store_those_of_an_older_dubito_too(
    state: ProjectState,
) -> None:
    state.autolabel.begin(AutolabelJob(state="writing"), {1: label("a"), 2: label("b")})
    name = keys.of(state.key, keys.REST_LABELS)
    state.client.hset(name, "3", b'["a",0.9]')

    assert state.autolabel.labels() == {
        1: label("a"),
        2: label("b"),
        3: AutolabelRow(label="a", certainty=0.9),
    }


def test_an_older_dubito_reads_the_labels_of_one_question(state: ProjectState) -> None:
    """A worker of it may run beside this one; it takes two values of each label."""
    row = AutolabelRow(label="a", certainty=0.9)

    state.autolabel.begin(AutolabelJob(state="writing"), {1: row})

    packed = state.client.hget(keys.of(state.key, keys.REST_LABELS), "1")
    assert orjson.loads(packed) == ["a", 0.9]
    assert state.autolabel.labels() == {1: row}
