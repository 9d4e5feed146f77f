"""Whatever is read: it is understood or refused; one bad task harms no other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx
import orjson
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dubito.backend.data_kinds.recording_files import open_recording
from dubito.backend.data_kinds.recordings import describe_all
from dubito.backend.errors import (
    ExportError,
    ProjectSettingsError,
    SchemaError,
    SettingsError,
)
from dubito.backend.features.ingest import attempt
from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.local_files import LocalFiles
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.auth import Credentials
from dubito.backend.labelstudio.files import Files
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import Preferences, read_preferences
from dubito.backend.records import JsonObject
from dubito.backend.settings import Settings
from dubito.backend.simulate.export_reader import Export, parse_export
from dubito.backend.state.encoding import packed_data
from dubito.backend.state.pool import TaskInput
from dubito.backend.variables import ALIASES
from dubito.model.errors import BadItemError
from dubito.model.schema import Schema
from tests.builders import channels, schema
from tests.examples import examples
from tests.exports import CONFIG, question_of
from tests.label_studio import CONTROL, choices_config
from tests.strategies import LEAVES, json_data, json_values

Found = TypeVar("Found")


def outcome(
    act: Callable[[], Found], refusal: type[Exception] | tuple[type[Exception], ...]
) -> Found | str:
    """Return what came of it, or the sentence with which it was refused."""
    try:
        return act()
    except refusal as error:
        return str(error)


NOWHERE = Files.open(
    Credentials(httpx.Client(base_url="http://127.0.0.1:9"), "key"),
    "http://127.0.0.1:9",
    ["files.example:81", "other.example"],
)


SCHEMAS = (
    schema(),
    schema(tag="Image", key="image", is_address=True),
    schema(tag="Table", key="x"),
    schema(tag="TimeSeries", key="csv", is_address=True),
    schema(tag="HyperText", key="x"),
    schema(tag="Paragraphs", key="x"),
    schema(tag="Pdf", key="x", is_address=True),
    schema(tag="ImageList", key="x", is_address=True),
    replace(schema(), others=(replace(schema(tag="Table", key="x"), target="also"),)),
)


@examples(60)
@given(
    sample=st.lists(json_data, max_size=6),
    shown=st.sampled_from(SCHEMAS),
    features=st.sets(st.sampled_from(["text", "x", "y"])),
)
def test_any_task_is_read_or_set_aside(
    sample: list[JsonObject], shown: Schema, features: set[str]
) -> None:
    """Law 9: one bad task is set aside with a reason; the rest goes on."""
    chosen = read_preferences({"features": sorted(features)})
    reads = choose_input(shown, chosen, sample)
    reader = TaskReader(schema=shown, reads=reads, files=NOWHERE)

    for data in sample:
        result = attempt(reader, data)
        is_learnt = isinstance(result, TaskInput) and (
            bool(result.numbers) or result.text is not None
        )
        assert is_learnt or isinstance(result, str) or result.refused


cells = st.sampled_from(
    ["1", "-2.5", "", "x", "NaN", '"', ",", ";", "\n", "\t", "1e999", "\ufeff", "\x00"]
)


contents = (
    st.binary(max_size=60)
    | st.lists(cells, max_size=30).map(lambda parts: ",".join(parts).encode())
    | st.lists(cells, max_size=30).map(
        lambda parts: ("a,b\n" + "".join(parts)).encode()
    )
    | json_values
    | json_values.map(lambda value: b"{" + repr(value).encode())
    | st.dictionaries(st.sampled_from("abt"), st.lists(json_values, max_size=4))
)


@examples(100)
@given(content=contents, named=st.sampled_from([("a", "b"), (), ("0",)]))
def test_any_content_is_a_recording_or_refused(
    content: object, named: tuple[str, ...]
) -> None:
    def act() -> dict[str, float]:
        [one] = describe_all([open_recording(content, channels(*named, time="t"))])
        return one

    outcome_of_call = outcome(act, BadItemError)

    assert outcome_of_call
    values = [] if isinstance(outcome_of_call, str) else outcome_of_call.values()
    assert all(abs(value) <= 1e31 for value in values)


addresses = st.lists(
    st.sampled_from(
        [
            *(
                "http:",
                "https:",
                "HTTP:",
                "//",
                "/",
                "\\",
                "@",
                ":",
                "?",
                "#",
                "[",
                "]",
            ),
            *(
                "127.0.0.1",
                ":9",
                ":81",
                "evil.example",
                "files.example",
                "other.example",
            ),
            *(
                "%2f",
                "%40",
                "\t",
                "\n",
                " ",
                "ü",
                ".",
                "..",
                "user:pw@",
                "data/upload/",
            ),
        ]
    ),
    max_size=9,
).map("".join) | st.text(max_size=20)


@examples(100)
@given(address=addresses)
def test_only_hosts_that_may_be_asked_are_asked(address: str) -> None:
    """What is checked is what httpx connects to, however an address is written."""
    try:
        url = NOWHERE._url(address)  # noqa: SLF001 - asking would take a network
    except BadItemError:
        return
    request = httpx.Request("GET", url)

    allowed = {(b"127.0.0.1", 9), (b"files.example", 81)}
    target = request.url.raw_host, request.url.port
    assert target in allowed or request.url.raw_host == b"other.example"


@examples(40)
@given(address=addresses | st.just("x" * 5_000 + ".csv") | st.just("\x00.csv"))
def test_any_address_names_a_file_of_the_directory_or_none(address: str) -> None:
    outcome_of_call = outcome(lambda: LocalFiles(Path()).fetch(address), BadItemError)

    assert outcome_of_call is not None


EXPORT_KEYS = (
    *("id", "data", "annotations", "completions", "annotator", "annotation_id"),
    *("result", "updated_at", "completed_by", "was_cancelled", "text", CONTROL),
)
REGION = {"from_name": CONTROL, "type": "choices", "value": {"choices": ["rome"]}}
export_values = st.recursive(
    LEAVES | st.just(REGION),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(EXPORT_KEYS), inner, max_size=5)
    ),
    max_leaves=8,
)
export_rows = st.lists(
    st.dictionaries(st.sampled_from(EXPORT_KEYS), export_values, max_size=7), max_size=4
)


@examples(60)
@given(rows=export_rows)
def test_any_rows_are_an_export_or_refused(rows: list[JsonObject]) -> None:
    """Those of both kinds of exports, of all versions, and of none."""
    refusals = (ExportError, ValidationError)

    export = outcome(lambda: parse_export(rows, question_of(CONFIG)), refusals)

    if isinstance(export, Export):
        tasks = {task.id for task in export.tasks}
        assert len(tasks) == len(export.tasks) <= len(rows)
        assert {annotation.task for annotation in export.annotations} <= tasks
    else:
        assert export


@examples(40)
@given(config=st.text(max_size=40) | st.sampled_from([choices_config("a", "b")]))
def test_any_label_config_is_learnt_or_refused(config: str) -> None:
    outcome_of_call = outcome(lambda: read_schema(config), SchemaError)

    assert outcome_of_call
    assert isinstance(outcome_of_call, str) or outcome_of_call.classes == ("a", "b")


@given(value=json_values | st.text())
def test_any_extra_parameters_are_settings_or_refused(value: object) -> None:
    preferences = outcome(lambda: read_preferences(value), ProjectSettingsError)

    if isinstance(preferences, str):
        assert preferences.startswith("the extra params")
    else:
        assert preferences.audit_every >= 0


@given(name=st.sampled_from([*Preferences.model_fields]), value=json_values)
def test_any_value_of_a_setting_is_taken_or_refused_in_plain_words(
    name: str, value: object
) -> None:
    """The validation library says `Input should be a valid …`."""
    preferences = outcome(lambda: read_preferences({name: value}), ProjectSettingsError)

    assert isinstance(preferences, Preferences) or "nput" not in preferences


NAMES = sorted(name for aliases in ALIASES.values() for name in aliases)


values = st.text(max_size=12) | st.sampled_from(
    ["http://[", "redis://", "redis://x:y", "~x/y", "1", "80", "a,,b", "unix://"]
)


@given(environ=st.dictionaries(st.sampled_from(NAMES), values, max_size=4))
def test_any_environment_is_settings_or_refused(environ: dict[str, str]) -> None:
    result = outcome(lambda: Settings.from_environment(environ), SettingsError)

    if isinstance(result, str):
        assert result.splitlines() == [result]
    else:
        assert Settings.from_environment(result.environment()) == result


@given(data=json_data)
def test_data_is_written_as_it_is_and_equal_data_equally(data: JsonObject) -> None:
    packed = packed_data(data)

    assert packed_data(orjson.loads(packed)) == packed
    assert packed_data(dict(reversed(data.items()))) == packed
