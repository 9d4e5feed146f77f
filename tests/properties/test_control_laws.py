"""Laws of every kind of control that Dubito learns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubito.backend.controls.codec import ControlCodec, NoAnswer, Region
from dubito.backend.controls.likely_labels import likely_labels
from dubito.backend.controls.registry import (
    CODECS,
    answers_in,
    codec_for,
    codec_of,
    region_types,
)
from dubito.backend.controls.stretches import Place, Stretch, packed_stretches
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.learning.labels import read_answer
from dubito.backend.learning.targets import learnt_schema
from dubito.backend.publishing.prediction_format import PredictionFormatter
from dubito.backend.state.ranking import Ranking
from dubito.model.schema import Schema
from tests.builders import annotation
from tests.examples import examples
from tests.fake_label_studio import label_config
from tests.label_studio import JsonObject
from tests.strategies import LEAVES, json_values

TWO = '<Choice value="a"/><Choice value="b"/>'
TREE = f'<Choice value="A" alias="1">{TWO}</Choice><Choice value="b"/>'
NAMES = 'name="c" toName="t"'
MARKS = '<Label value="a"/><Label value="b"/>'
ALIASES = '<Label value="a" alias="[]"/><Label value="ä"/>'
TEXT = '<Text name="t" value="$t"/>'
OTHER = '<Text name="u" value="$u"/>'
VIDEO = '<Video name="t" value="$t"/>'
SERIES = '<TimeSeries name="t" value="$t"/>'
SOUND = '<Audio name="t" value="$t"/>'
PAGE = '<HyperText name="t" value="$t"/>'
DIALOGUE = '<Paragraphs name="t" value="$t"/>'
HIDDEN = '<View visibleWhen="choice-selected">{}</View>'
TAGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "single-choice": (
            f"<Choices {NAMES}>{TWO}</Choices>",
            f'<Choices {NAMES} choice="single-radio"><View>{TWO}</View></Choices>',
            f'<Choices {NAMES} allowNested="true">{TWO}</Choices>',
            f'<Choices {NAMES}><Choice value="A, b" alias="[]"/>{TWO}</Choices>',
            f'<Choices {NAMES}><Choice value="ä"/><Choice value="1"/></Choices>',
            f'<Choices {NAMES} allowNested="true">{TREE}</Choices>',
        ),
        "taxonomy": (
            f"<Taxonomy {NAMES}>{TWO}</Taxonomy>",
            f"<Taxonomy {NAMES}>{TREE}</Taxonomy>",
            f'<Taxonomy {NAMES} maxusages=" 1.5 " leafsOnly="true">{TREE}</Taxonomy>',
        ),
        "several-paths": (
            f'<Taxonomy {NAMES} maxUsages="2">{TWO}</Taxonomy>',
            f'<Taxonomy {NAMES} maxUsages="4">{TREE}</Taxonomy>',
            f'<Taxonomy {NAMES} maxUsages="9" leafsOnly="true">{TREE}</Taxonomy>',
        ),
        "required-several-paths": (
            f'<Taxonomy {NAMES} maxUsages="4" required="true">{TREE}</Taxonomy>',
            HIDDEN.format(f'<Taxonomy {NAMES} maxUsages="4">{TREE}</Taxonomy>'),
        ),
        "rating": (
            f"<Rating {NAMES}/>",
            f'<Rating {NAMES} maxRating="10"/>',
        ),
        "number": (
            f'<Number {NAMES} min="0" max="4"/>',
            f'<Number {NAMES} min="-1" max="1" step="0.1"/>',
        ),
        "any-number": (
            f"<Number {NAMES}/>",
            f'<Number {NAMES} min="-1" step="0.5"/>',
            f'<Number {NAMES} min="-1" max="1e6"/>',
        ),
        "multiple-choice": (
            f'<Choices {NAMES} choice="multiple">{TWO}</Choices>',
            f'<Choices {NAMES} choice="multiple" allowNested="true">{TWO}</Choices>',
            f'<Choices {NAMES} choice="multiple" allowNested="true">{TREE}</Choices>',
            f'<Choices {NAMES} choice="multiple"><Choice value="[]"/>{TWO}</Choices>',
        ),
        "required-multiple-choice": (
            f'<Choices {NAMES} choice="multiple" required="true">{TWO}</Choices>',
            HIDDEN.format(f'<Choices {NAMES} choice="multiple">{TWO}</Choices>'),
        ),
        "pairwise": (
            f'<Pairwise name="c" toName="t,u"/>{OTHER}',
            f'<Pairwise name="c" toName="t,u" leftClass="a" rightClass="b"/>{OTHER}',
        ),
        "time-stretches": (
            f"<TimeSeriesLabels {NAMES}>{MARKS}</TimeSeriesLabels>{SERIES}",
            f"<TimeSeriesLabels {NAMES}>{ALIASES}</TimeSeriesLabels>{SERIES}",
        ),
        "text-stretches": (
            f"<Labels {NAMES}>{MARKS}</Labels>",
            f"<Labels {NAMES}>{ALIASES}</Labels>",
        ),
        "sound-stretches": (f"<Labels {NAMES}>{MARKS}</Labels>{SOUND}",),
        "page-stretches": (
            f"<HyperTextLabels {NAMES}>{MARKS}</HyperTextLabels>{PAGE}",
            f"<HyperTextLabels {NAMES}>{ALIASES}</HyperTextLabels>{PAGE}",
        ),
        "dialogue-stretches": (
            f"<ParagraphLabels {NAMES}>{MARKS}</ParagraphLabels>{DIALOGUE}",
        ),
        "video-stretches": (
            f"<TimelineLabels {NAMES}>{MARKS}</TimelineLabels>{VIDEO}",
            f"<TimelineLabels {NAMES}>{ALIASES}</TimelineLabels>{VIDEO}",
        ),
    }
)
"""Tags of each kind that can be learnt, unlike each other."""

ENDS: Mapping[str, tuple[Place, Place]] = MappingProxyType(
    {"dialogue-stretches": ("1+0", "10+4")}
)
"""Where stretches of a kind may start and end, if not at 1 and 4."""


def config_of(tag: str) -> str:
    has_object = 'value="$t"' in tag
    return f"<View>{'' if has_object else TEXT}{tag}</View>"


def is_of_sets(config: str) -> bool:
    codec = codec_of(read_schema(config))
    return codec.answer_kind == "any of" and not codec.marks_stretches


CONFIGS = [config_of(tag) for tags in TAGS.values() for tag in tags]
every_config = pytest.mark.parametrize("config", CONFIGS)
every_codec = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)

configs = st.sampled_from(CONFIGS)
PLACES = ("start", "end", "startOffset", "endOffset", "globalOffsets")
keys = st.sampled_from([*region_types(), *PLACES, "selected", "text"])
answers = st.sampled_from(["a", "b", "left", "gone", 1, None]) | LEAVES
steps = answers | st.lists(answers, max_size=2) | json_values
values = LEAVES | st.dictionaries(keys, steps | st.lists(steps, max_size=2), max_size=2)
regions = st.fixed_dictionaries(
    {"from_name": st.just("c"), "value": values},
    optional={
        "to_name": json_values,
        "type": st.sampled_from(region_types()) | json_values,
        "meta": json_values,
    },
) | st.dictionaries(st.sampled_from(["from_name", "type", "value"]), json_values)


def question(config: str) -> Schema:
    """Return the question of a label config; of numbers with some that people gave."""
    return learnt_schema(read_schema(config), ["2.5", "-1", "0", "6", "1000000", "0"])


def written(schema: Schema) -> dict[str, list[Region]]:
    """Return the regions of answers of one class, and of all where that is one."""
    codec = codec_of(schema)
    sets = [[name] for name in schema.classes]
    if codec.answer_kind == "any of":
        sets.append([*schema.classes])
    answers = [answer_with(classes, schema) for classes in sets]
    return {answer: codec.regions(answer, schema) for answer in answers}


def ends_of(codec: ControlCodec) -> tuple[Place, Place]:
    return ENDS.get(codec.kind, (1, 4))


def answer_with(classes: Sequence[str], schema: Schema) -> str:
    """Return an answer that consists of classes, which occur at the same place."""
    codec = codec_of(schema)
    if codec.marks_stretches:
        return packed_stretches(Stretch(*ends_of(codec), name) for name in classes)
    return codec.answer_of(classes, schema)


def elsewhere(result: list[Region]) -> list[Region]:
    return [{**region, "from_name": "another"} for region in result]


def test_every_kind_of_control_has_tags_to_test() -> None:
    kinds = {
        kind: {read_schema(config_of(tag)).control_kind for tag in tags}
        for kind, tags in TAGS.items()
    }

    assert kinds == {kind: {kind} for kind in CODECS}


@every_config
def test_what_is_written_is_read_back(config: str) -> None:
    """Whatever was answered to another control beside."""
    schema = question(config)
    codec, results = codec_of(schema), written(schema)

    for answer, result in results.items():
        assert codec.read(result, schema) == answer
        for other in results.values():
            assert codec.read([*elsewhere(other), *result], schema) == answer


@every_config
def test_every_class_can_be_written(config: str) -> None:
    """No two classes are written alike, and no region is without its answer."""
    schema = question(config)

    results = written(schema)

    codec = codec_of(schema)
    assert len(results) >= len(schema.classes) >= 2
    assert len({orjson.dumps(result) for result in results.values()}) == len(results)
    for answer, result in results.items():
        assert codec.is_answer(answer, schema)
        answers_of_regions = [one for region in result for one in answers_in(region)]
        if codec.marks_stretches:
            ends = ends_of(codec)
            assert answers_of_regions == [
                [*ends, name] for name in codec.classes_in(answer)
            ]
        else:
            assert answers_of_regions == [*codec.classes_in(answer)]


@every_config
def test_what_is_no_answer_is_not_written(config: str) -> None:
    """It may be the label of a time when the question was another one."""
    schema = question(config)

    for text in ("", "gone", '["gone"]', '["b", "a"]', "[", "{}", "null", '{"a":"b"}'):
        assert not codec_of(schema).is_answer(text, schema)


@every_config
def test_what_is_written_are_regions_of_the_control(config: str) -> None:
    schema = question(config)
    codec = codec_of(schema)

    for result in written(schema).values():
        assert orjson.loads(orjson.dumps(result)) == result
        for region in result:
            assert region["from_name"] == schema.control
            assert region["to_name"] == schema.target
            assert region["type"] == codec.type
            [*place, last] = dict(region["value"])  # type: ignore[call-overload]
            assert last == (codec.value_key or codec.type)
            assert bool(place) == codec.marks_stretches


@every_config
def test_bulk_import_takes_what_a_codec_says_it_takes(config: str) -> None:
    """Label Studio drops the others without a word."""
    schema = question(config)
    parsed = label_config.parse(config)

    for result in written(schema).values():
        is_taken = label_config.is_valid_result(parsed, result)
        assert is_taken == codec_of(schema).passes_bulk_import(schema)


@every_config
def test_a_class_that_is_gone_is_set_aside_with_a_reason(config: str) -> None:
    schema = question(config)
    codec, gone = codec_of(schema), schema.classes[-1]
    others = replace(schema, classes=schema.classes[:-1])
    if codec.answer_kind == "number":
        others = replace(schema, limits=(None, float(schema.classes[-2]), None))
    result = codec.regions(answer_with([gone], schema), schema)

    answer = codec.read(result, others)

    assert isinstance(answer, NoAnswer)
    assert gone in answer.reason


@every_config
def test_without_one_answer_an_annotation_is_set_aside(config: str) -> None:
    schema = question(config)
    codec, results = codec_of(schema), [*written(schema).values()]

    several = [] if codec.answer_kind == "any of" else [[*results[0], *results[-1]]]
    for result in ([], elsewhere(results[0]), *several):
        answer = codec.read(result, schema)
        if codec.may_be_empty:
            assert answer == answer_with([], schema) == "[]"
            continue
        assert isinstance(answer, NoAnswer)
        assert schema.control in answer.reason


@pytest.mark.parametrize("config", [c for c in CONFIGS if is_of_sets(c)])
def test_nothing_is_predicted_only_where_people_may_answer_it(config: str) -> None:
    schema = question(config)
    codec = codec_of(schema)
    nothing = np.zeros((1, len(schema.classes)))

    [predicted] = likely_labels(
        nothing, schema.classes, codec.answer_kind, may_be_empty=codec.may_be_empty
    )

    is_answer = codec.read([], schema) == "[]"
    assert codec.is_answer("[]", schema) == is_answer
    assert (predicted == "[]") == is_answer
    assert codec.is_answer(predicted, schema)


@every_config
def test_a_predicted_answer_is_known_until_somebody_gives_another(config: str) -> None:
    schema = question(config)
    formatter = PredictionFormatter(schemas=(schema,), ranking=None)
    [first, second] = [*written(schema)][:2]

    marked = formatter.result({schema.control: first})
    changed = [
        {**old, "value": new["value"]}
        for old, new in zip(marked, written(schema)[second], strict=True)
    ]

    assert annotation(1, marked).is_unconfirmed
    assert not annotation(1, changed).is_unconfirmed
    assert read_answer(annotation(1, changed), schema) == second


@every_config
def test_a_row_that_shows_a_class_has_no_fault(config: str) -> None:
    """Else quick imports, of which Label Studio validates nothing, leave it out."""
    schema = question(config)
    n_classes = len(schema.classes)
    ranking = Ranking(
        round=1,
        basis="",
        task_ids=np.arange(n_classes),
        classes=schema.classes,
        probabilities=np.eye(n_classes),
        certainty=np.zeros(n_classes),
        kind=codec_of(schema).answer_kind,
        stretches=tuple(written(schema)) if codec_of(schema).marks_stretches else (),
    )
    formatter = PredictionFormatter(
        schemas=(schema,), ranking=ranking, preannotate=True
    )

    for task in range(n_classes):
        assert formatter.row(task, 0.5)["result"]
        assert formatter.fault(task, 0.5) == ""
    assert "score" in formatter.fault(0, 1.5)


def test_flat_choices_named_like_paths_are_all_kept() -> None:
    choices = "".join(f'<Choice value="{name}"/>' for name in ("Cat", "Cat / Dog"))
    schema = read_schema(
        '<View><Text name="t" value="$t"/><Choices name="c" toName="t"'
        f' choice="multiple">{choices}</Choices></View>'
    )
    codec = codec_of(schema)
    both = codec.answer_of(["Cat", "Cat / Dog"], schema)

    assert codec.read(codec.regions(both, schema), schema) == both


@every_config
def test_codecs_of_one_type_alone_read_what_another_writes(config: str) -> None:
    schema = question(config)

    for result in written(schema).values():
        [codec] = {codec_for(region) for region in result}
        assert codec is not None
        assert codec.type == codec_of(schema).type


@every_config
def test_values_stand_in_json_min_as_they_are(config: str) -> None:
    """So Label Studio writes several regions of a control, and other kinds of one."""
    schema = question(config)
    codec = codec_of(schema)

    for result in written(schema).values():
        shown = [region["value"] for region in result]
        assert codec.json_min_values(shown) == shown
        assert codec.json_min_values(shown[0]) == shown[:1]


@examples(100)
@given(config=configs, result=st.lists(regions, min_size=1, max_size=2))
def test_any_result_is_read_or_set_aside_with_a_reason(
    config: str, result: list[JsonObject]
) -> None:
    schema = question(config)

    answer = codec_of(schema).read(result, schema)

    if isinstance(answer, NoAnswer):
        assert answer.reason
    else:
        assert codec_of(schema).is_answer(answer, schema)


@given(region=regions)
def test_any_region_is_looked_into(region: JsonObject) -> None:
    assert isinstance(answers_in(region), list)


@every_codec
@given(cell=json_values | values)
def test_any_cell_of_json_min_is_looked_into(codec: ControlCodec, cell: object) -> None:
    assert all(isinstance(value, dict) for value in codec.json_min_values(cell))
