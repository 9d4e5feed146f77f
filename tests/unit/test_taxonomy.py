"""Which paths of a <Taxonomy> are learnt: one, or a set, as the label config says."""

import json

import pytest

from dubito.backend.controls.codec import NoAnswer
from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import SchemaError
from dubito.backend.features.learnt_questions import learnt_questions
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.learning.labels import read_answer
from tests.builders import FIXTURES, annotation
from tests.label_studio import JsonObject

ANSWERS = json.loads((FIXTURES / "editor_answers.json").read_text())
TREE = (
    '<Choice value="Animal"><Choice value="Cat"/><Choice value="Dog"/></Choice>'
    '<Choice value="Plant"/>'
)


def config(attributes: str, choices: str = TREE) -> str:
    return (
        '<View><Text name="t" value="$t"/>'
        f'<Taxonomy name="tax" toName="t" {attributes}>{choices}</Taxonomy></View>'
    )


def chosen(*paths: list[str]) -> list[JsonObject]:
    names = {"from_name": "tax", "to_name": "t", "type": "taxonomy"}
    return [{**names, "value": {"taxonomy": [*paths]}}]


def answer(attributes: str, result: list[JsonObject]) -> str | NoAnswer:
    return read_answer(annotation(1, result), read_schema(config(attributes)))


@pytest.mark.parametrize(
    ("usages", "kind", "most"),
    [
        *(("", "taxonomy", 0), ("0", "taxonomy", 0), ("many", "taxonomy", 0)),
        *(("1", "taxonomy", 1), (" 1.9 ", "taxonomy", 1)),
        *(("2", "several-paths", 2), ("12.5", "several-paths", 12)),
        ("9" * 5_000, "taxonomy", 0),
    ],
)
def test_sets_are_learnt_where_the_label_config_allows_a_number_of_paths(
    usages: str, kind: str, most: int
) -> None:
    schema = read_schema(config(f'maxUsages="{usages}"'))

    assert (schema.control_kind, schema.most_chosen) == (kind, most)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("taxonomy_leaf", '["AN / Dog"]'),
        ("taxonomy_two", '["AN / C","Plant"]'),
        ("taxonomy_parent_ticked", '["AN"]'),
        ("taxonomy_parent_and_leaf", '["AN","AN / C"]'),
        ("taxonomy_leafsOnly", '["AN / Dog"]'),
        ("taxonomy_none", "[]"),
    ],
)
def test_bodies_of_a_real_editor_are_read_as_sets(name: str, label: str) -> None:
    """Whoever ticks a choice beside one inside it wants both: the editor keeps both."""
    body = ANSWERS[name]
    tag = "<Taxonomy "
    assert tag in body["label_config"]
    several = body["label_config"].replace(tag, f'{tag}maxUsages="5" ')

    assert read_answer(annotation(1, body["result"]), read_schema(several)) == label


@pytest.mark.parametrize(
    ("attributes", "result", "reason"),
    [
        ("", chosen(["Plant"], ["Animal"]), "several paths for 'tax': to learn sets"),
        ('maxUsages="2" required="true"', [], "no path for 'tax'"),
        ('maxUsages="2"', chosen(["Plant"], ["Moss"]), "has no path 'Moss'"),
        (
            'maxUsages="2"',
            chosen(["Animal"], ["Plant"], ["Animal", "Cat"]),
            "more paths for 'tax' than the label config allows: raise maxUsages=\"2\"",
        ),
        (
            'maxUsages="2"',
            [{"from_name": "tax", "value": {"choices": ["Plant"]}}],
            "has 'choices' for 'tax', not a path",
        ),
        (
            'maxUsages="2"',
            [{"from_name": "tax", "value": {"taxonomy": "Plant"}}],
            "is not a path",
        ),
        (
            'maxUsages="2"',
            [{"from_name": "tax", "value": {"taxonomy": [["Plant"]], "start": 0}}],
            "is for a region",
        ),
    ],
)
def test_what_is_no_answer_is_set_aside(
    attributes: str, result: list[JsonObject], reason: str
) -> None:
    """What stands there instead of paths does not say "none of them"."""
    no_answer = answer(attributes, result)

    assert isinstance(no_answer, NoAnswer)
    assert reason in no_answer.reason


@pytest.mark.parametrize(
    ("attributes", "label"),
    [("", "Animal / Cat"), ('maxUsages="2"', '["Animal / Cat"]')],
)
def test_an_outer_path_from_before_leafs_only_says_what_the_inner_one_says(
    attributes: str, label: str
) -> None:
    result = chosen(["Animal"], ["Animal", "Cat"])

    assert answer(f'{attributes} leafsOnly="true"', result) == label


def test_more_paths_than_the_editor_takes_are_not_written() -> None:
    """A person could not submit such a prediction."""
    schema = read_schema(config('maxUsages="2"'))
    codec = codec_of(schema)
    two, three = schema.classes[:2], schema.classes[:3]

    assert codec.is_answer(codec.answer_of(two, schema), schema)
    assert not codec.is_answer(codec.answer_of(three, schema), schema)


def test_of_more_choices_than_sets_are_learnt_of_one_can_be_learnt() -> None:
    many = "".join(f'<Choice value="c{n}"/>' for n in range(501))

    assert len(read_schema(config('maxUsages="1"', many)).classes) == 501
    with pytest.raises(
        SchemaError, match=r"several of more than 500 .*maxUsages=\"1\""
    ):
        read_schema(config('maxUsages="2"', many))


def test_connect_says_what_becomes_of_several_paths() -> None:
    lines = {
        usages: "; ".join(learnt_questions(config(f'maxUsages="{usages}"'), None)[1])
        for usages in ("", "1", "2")
    }

    hint = (
        "sets aside answers with several paths for 'tax': to learn sets of paths, set"
    )
    assert [usages for usages, line in lines.items() if hint in line] == [""]
