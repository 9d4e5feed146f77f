"""Where the words of pages and dialogues are, as Label Studio's editor counts them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dubito.backend.controls.stretches import Place, Stretch, packed_stretches
from dubito.backend.data_kinds.kind import ItemFile, ReadPlan
from dubito.backend.data_kinds.page_passages import page_passages
from dubito.backend.data_kinds.unit_sequences import UnitSequence, unpacked
from dubito.backend.data_kinds.units import DIALOGUE_UNITS, IN_UNITS, PAGE_UNITS
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.learning.labels import read_answer
from dubito.backend.state.facts import InputSpec
from tests.builders import annotation

FIXTURES = Path(__file__).parents[1] / "fixtures"
ANSWERS = json.loads((FIXTURES / "editor_answers.json").read_text())
CLASSES = ("ORG", "PER")
LABELS = "".join(f'<Label value="{name}"/>' for name in CLASSES)


def plan_of(config: str) -> ReadPlan:
    schema = read_schema(config)
    return ReadPlan(schema=schema, reads=InputSpec(kind="", keys=schema.names))


def page(attributes: str = "") -> ReadPlan:
    return plan_of(
        f'<View><HyperText name="t" value="$x" {attributes}/><HyperTextLabels name="c"'
        f' toName="t">{LABELS}</HyperTextLabels></View>'
    )


def dialogue(attributes: str = "") -> ReadPlan:
    return plan_of(
        f'<View><Paragraphs name="t" value="$x" {attributes}/><ParagraphLabels name="c"'
        f' toName="t">{LABELS}</ParagraphLabels></View>'
    )


def read(kind: Any, content: object, plan: ReadPlan) -> UnitSequence:  # noqa: ANN401
    [reading] = kind.describe([kind.decode(content, plan)])
    [sequence] = unpacked([reading.sequence])
    return sequence


def ends(sequence: UnitSequence) -> list[tuple[object, object]]:
    return [*zip(sequence.starts, sequence.ends, strict=True)]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("labels_hypertext", ["bold", "text"]),
        ("labels_paragraphs", ["Fine"]),
        (
            "labels_paragraphs_across_two",
            ["Hello", "there", ",", "how", "are", "you", "?", "Fine", ","],
        ),
    ],
)
def test_what_people_marked_covers_these_words(answer: str, words: list[str]) -> None:
    """Bodies of a real editor."""
    body = ANSWERS[answer]
    plan = plan_of(body["label_config"])
    schema, [content] = plan.schema, body["data"].values()
    sequence = read(IN_UNITS[schema.tag], content, plan)
    stretches = read_answer(annotation(1, body["result"]), schema)

    members = sequence.members(str(stretches), schema.classes)

    covered = np.flatnonzero(members.any(axis=1))
    assert len(covered) == len(words)
    assert (np.diff(covered) == 1).all()
    sizes = np.diff(sequence.at[covered])[:, 0]
    assert sizes.tolist() == [len(word) for word in words]
    again = sequence.answer(members, schema.classes)
    np.testing.assert_array_equal(sequence.members(again, schema.classes), members)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>so<b>me</b> one</p>", [(0, "some one")]),
        ("<h1>A</h1><p>B</p>", [(0, "A"), (1, "B")]),
        ("<p>A<br>B</p>", [(0, "A"), (2, "B")]),
        ("<p>A<br/>\n<br/>B</p>", [(0, "A"), (4, "B")]),
        ("<p>A &amp; &#128512; B</p>", [(0, "A & 😀 B")]),
        ("  \n <div> A</div>", [(0, " A")]),
        ("  A", [(0, "A")]),
        ("<p>A</p>\n\n<p>B</p>", [(0, "A"), (3, "B")]),
        ("<p>A</p>\r\n<p>B\rC</p>", [(0, "A"), (2, "B\nC")]),
        ("<p>A</p><!-- no > --><p>B</p>", [(0, "A"), (1, "B")]),
        ("A<script>x > 1</script>B", [(0, "AB")]),
        ("<p>A</p><style>p {}</style><p>B</p>", [(0, "A"), (5, "B")]),
        ("<p>A</p><title>&lt;</title><p>B</p>", [(0, "A"), (2, "B")]),
        (
            "<html><head>\n<title>T</title><style>x</style>\n</head>\n<body> <p>B</p>",
            [(1, "B")],
        ),
        ("<pre>\nA</pre>", [(0, "A")]),
        ("<p title='a > b'>A</p>", [(0, "A")]),
        ("", []),
    ],
)
def test_characters_are_counted_as_the_editor_does(
    source: str, expected: list[tuple[int, str]]
) -> None:
    passages = page_passages(source, is_inline=False)

    assert [(one.start, one.text) for one in passages] == expected


def test_a_page_in_the_editors_own_is_counted_from_its_first_space() -> None:
    source = "\n<title>T</title> <p>A</p>"

    assert [one.start for one in page_passages(source, is_inline=True)] == [3]
    assert read(PAGE_UNITS, source, page('inline="true"')).starts == [3]
    assert read(PAGE_UNITS, source, page()).starts == [0]


@pytest.mark.slow
def test_an_endless_page_is_read_as_far_as_it_is_learnt_from() -> None:
    sequence = read(PAGE_UNITS, "<p>word</p>" * 100_000, page())

    assert len(sequence.starts) == 25_000


def test_a_page_in_a_file_and_one_in_base64_are_read() -> None:
    file = ItemFile(address="/a.html", content="\ufeff<p>Ann".encode())

    assert read(PAGE_UNITS, file, page()).ends == [3]
    assert read(PAGE_UNITS, "PHA+QW5u", page('encoding="base64"')).ends == [3]


def test_turns_are_counted_as_browsers_do() -> None:
    """There a character beyond 16 bits counts two."""
    turns = [{"author": "Ann"}, {"author": "Bob", "text": " 😀 Hi 😀"}]

    sequence = read(DIALOGUE_UNITS, turns, dialogue())

    assert ends(sequence) == [("1+1", "1+3"), ("1+4", "1+6"), ("1+7", "1+9")]


def test_a_dialogue_shown_by_time_has_its_turns_in_that_order() -> None:
    """Label Studio puts a turn without a start, or one at 0, to the end."""
    turns = [
        {"text": "last", "start": 0, "end": 1},
        {"text": "second", "start": 2, "duration": 5},
        {"text": "first", "start": 2, "end": 3},
        {"text": "very last"},
    ]

    by_number = read(DIALOGUE_UNITS, turns, dialogue())
    by_time = read(DIALOGUE_UNITS, turns, dialogue('contextScroll="true"'))

    assert ends(by_number)[0] == ("0+0", "0+4")
    assert ends(by_time)[:3] == [("0+0", "0+5"), ("1+0", "1+6"), ("2+0", "2+4")]


def test_who_speaks_a_word_is_learnt_from() -> None:
    turns = [{"author": "Ann", "text": "yes"}, {"author": "Bob", "text": "yes"}]

    sequence = read(DIALOGUE_UNITS, turns * 3, dialogue())

    middle = sequence.features[2:4]
    differs = (middle[0] != middle[1]).sum()
    assert differs == 2


def test_places_far_out_and_places_of_other_kinds_are_in_no_word() -> None:
    sequence = read(DIALOGUE_UNITS, [{"text": "one two"}], dialogue())
    marks: list[tuple[Place, Place, str]] = [
        ("7+0", "7+9", "ORG"),
        (0, 3, "ORG"),
        ("0+4", "0+999999999", "PER"),
    ]
    answer = packed_stretches(Stretch(*one) for one in marks)

    members = sequence.members(answer, CLASSES)

    assert members.tolist() == [[False, False], [False, True]]


def test_turns_are_sorted_by_their_numbers() -> None:
    marks = [("10+0", "10+3", "PER"), ("9+12", "9+14", "PER"), ("9+2", "9+4", "PER")]

    answer = packed_stretches(Stretch(*one) for one in marks)

    assert [start for start, *_ in json.loads(answer)] == ["9+2", "9+12", "10+0"]


@pytest.mark.parametrize(
    "value",
    [
        {"start": "0", "end": "0"},
        {"start": "00", "end": "0", "startOffset": 0, "endOffset": 1},
        {"start": "0", "end": "0", "startOffset": -1, "endOffset": 1},
        {"start": "/p[1]", "end": "/p[1]", "startOffset": 0, "endOffset": 1},
        {"start": 0.5, "end": 1, "startOffset": 0, "endOffset": 1},
    ],
)
def test_a_region_of_no_place_is_set_aside(value: dict[str, object]) -> None:
    for plan, kind in ((dialogue(), "paragraphlabels"), (page(), "hypertextlabels")):
        named = {**value, kind: ["PER"]}
        region: dict[str, object] = {"from_name": "c", "type": kind, "value": named}

        answer = read_answer(annotation(1, [region]), plan.schema)

        assert "no start and end" in getattr(answer, "reason", "")


def test_numbers_of_turns_may_be_numbers() -> None:
    """Label Studio takes them so, too."""
    value = {"start": 2, "end": 3, "startOffset": 0, "endOffset": 4.0}
    named = {**value, "paragraphlabels": ["PER"]}
    region: dict[str, object] = {"from_name": "c", "value": named}

    answer = read_answer(annotation(1, [region]), dialogue().schema)

    assert answer == '[["2+0","3+4","PER"]]'
