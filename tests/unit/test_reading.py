"""What is read from a task's data: decided from some tasks, then done with all."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import pytest

from dubito.backend.data_kinds.recording_files import Recording
from dubito.backend.features.ingest import attempt
from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.labelstudio.files import Files
from dubito.backend.project_settings import Preferences
from dubito.backend.records import JsonObject
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.features.mixed_columns import named_category, named_vector
from dubito.model.schema import Schema
from tests.builders import channels, schema
from tests.fake_label_studio import FakeServer, Fault
from tests.label_studio import choices_config, signed_in

REVIEWS = [
    {"text": "the plot is dull and the acting is worse", "stars": 1, "id": 1},
    {"text": "a dull film with a plot that goes nowhere", "stars": 2, "id": 2},
    {"text": "the acting is wonderful, the film a delight", "stars": 5, "id": 3},
    {"text": "wonderful from the first scene to the last", "stars": 5, "id": 4},
]


def rows(names: Iterable[str], columns: int = 3) -> list[JsonObject]:
    """Build tasks whose shown text names rows of numbers."""
    return [
        {"text": name} | {f"f{c}": (number * (c + 2)) % 7 / 2 for c in range(columns)}
        for number, name in enumerate(names)
    ]


def choice(
    sample: list[JsonObject], shown: Schema | None = None, **chosen: object
) -> tuple[str, tuple[str, ...]]:
    preferences = Preferences.model_validate(chosen)
    choice_of_input = choose_input(shown or schema(), preferences, sample)
    return choice_of_input.kind, choice_of_input.keys


def test_reviews_are_read_as_text_whatever_numbers_stand_beside() -> None:
    assert choice(REVIEWS) == ("text", ("text",))


@pytest.mark.parametrize(
    "names",
    [
        [f"row {number}" for number in range(20)],
        [f"subject {number % 4}, window {number}" for number in range(20)],
        [f"{number:032x}" for number in range(20)],
        [str(number) for number in range(20)],
        ["" for _ in range(20)],
    ],
)
def test_texts_that_only_name_rows_are_passed_over(names: list[str]) -> None:
    assert choice(rows(names)) == ("numbers", ("f0", "f1", "f2"))


def test_many_measured_values_are_read_whatever_text_stands_beside() -> None:
    described = rows((str(review["text"]) for review in REVIEWS * 3), columns=5)

    kind, keys = choice(described)

    assert kind == "numbers"
    assert len(keys) == 5


def test_texts_without_any_number_are_read_even_if_they_look_like_names() -> None:
    assert choice([{"text": f"row {n}"} for n in range(9)]) == ("text", ("text",))


def test_a_number_that_only_counts_the_rows_is_no_measurement() -> None:
    counted = [{**row, "id": n} for n, row in enumerate(rows(map(str, range(9))))]
    constant = [{**row, "version": 2} for row in counted]

    assert choice(constant) == ("numbers", ("f0", "f1", "f2"))


def test_truth_values_and_numerals_are_measurements() -> None:
    sample = [{"image": "x.png", "wet": n % 2 == 0, "t": f"{n}.5"} for n in range(9)]

    choice_of_input = choice(sample, schema(tag="Image", key="image"))

    assert choice_of_input == ("numbers", ("t", "wet"))


def test_numbers_that_few_tasks_have_are_left_out() -> None:
    sample: list[JsonObject] = [{"image": "x", "f": n / 2} for n in range(9)]
    sample[0]["rare"] = 1.5
    sample[1]["rare"] = 2.5

    assert choice(sample, schema(tag="Image", key="image")) == ("numbers", ("f",))


@pytest.mark.parametrize(
    ("address", "columns", "kind"),
    [
        ("/data/upload/1/a.png", 0, "image"),
        ("https://files.example/a.png", 3, "image"),
        ("data:image/png;base64,AA", 3, "image"),
        ("s3://bucket/a.png", 0, "image"),
        ("s3://bucket/a.png", 3, "numbers"),
        ("/data/upload/1/a.png", 4, "numbers"),
    ],
)
def test_images_are_read_unless_many_numbers_or_no_way_lead_past_them(
    address: str, columns: int, kind: str
) -> None:
    sample: list[JsonObject] = [
        {"image": address} | {f"f{c}": n * (c + 2) % 7 / 2 for c in range(columns)}
        for n in range(9)
    ]

    assert choice(sample, schema(tag="Image", key="image"))[0] == kind


def mixed(count: int = 40) -> list[JsonObject]:
    """Build rows of a name, a number, a category, a vector, and the answer."""
    return [
        {
            "row": {
                "name": f"part {n}",
                "width": n / 3,
                "colour": ("red", "blue", "")[n % 3],
                "embedding": [n / 7, 1, -0.5],
                "truth": "ab"[n % 2],
                "person": f"person {n % 4}",
            }
        }
        for n in range(count)
    ]


TABLE = schema(tag="Table", key="row")


def test_rows_may_mix_numbers_categories_and_vectors() -> None:
    """A name is not read, nor are the answers and the group if it is told."""
    kind, keys = choice(mixed(), TABLE, group="person")

    assert kind == "numbers"
    assert keys == (named_category("colour"), named_vector("embedding", 3), "width")


def test_few_tasks_have_no_categories_yet() -> None:
    """Whether a word is met again is not known before there are enough."""
    _, keys = choice(mixed(4), TABLE)

    assert keys == (named_vector("embedding", 3), "width")


def test_the_owner_may_ask_for_categories_and_vectors() -> None:
    kind, keys = choice(mixed(), TABLE, features=["truth", "embedding"])

    assert kind == "numbers"
    assert keys == (named_category("truth"), named_vector("embedding", 3))


def test_beside_a_text_a_category_is_one_of_its_words() -> None:
    kind, keys = choice(mixed(), TABLE, features=["name", "colour", "width"])

    assert (kind, keys) == ("text and numbers", ("name", "colour", "width"))


def test_a_table_is_read_from_the_object_it_shows() -> None:
    sample: list[JsonObject] = [
        {"row": {"x": n / 2, "y": n % 3 / 2, "name": f"row {n}"}} for n in range(9)
    ]

    assert choice(sample, schema(tag="Table", key="row")) == ("numbers", ("x", "y"))


def test_a_time_series_is_read_as_a_recording() -> None:
    shown = schema(tag="TimeSeries", key="csv", is_address=True)

    assert choice([{"csv": "a.csv", "f": 1.5}], shown) == ("recording", ("csv",))


@pytest.mark.parametrize(
    ("features", "kind"),
    [
        (("stars",), "numbers"),
        (("text",), "text"),
        (("text", "stars"), "text and numbers"),
        (("nowhere",), "numbers"),
    ],
)
def test_the_owners_features_decide(features: tuple[str, ...], kind: str) -> None:
    assert choice(REVIEWS, features=features) == (kind, features)


@pytest.mark.parametrize("value", [[1, 2], {"x": 1}, True, "", None, "x", 10**400])
def test_any_value_may_stand_under_a_feature(value: object) -> None:
    kind, _ = choice([{"x": value}, {"x": value}], features=["x"])

    assert kind in {"numbers", "text"}


@pytest.mark.parametrize("value", [True, 10**400, "1e400", float("nan"), [1], {"y": 2}])
def test_any_value_may_stand_in_the_data(value: object) -> None:
    sample: list[JsonObject] = [{"x": value, "y": 0.5}, {"x": value, "y": 1.5}]

    kind, keys = choice(sample, schema(tag="Audio", key="audio"))

    assert kind == "numbers"
    assert "y" in keys


@pytest.mark.parametrize("tag", ["Text", "Image", "Table"])
def test_there_may_be_no_task_to_decide_on(tag: str) -> None:
    assert choice([], schema(tag=tag))[0] in {"text", "image", "numbers"}


@pytest.fixture(scope="module")
def label_studio() -> Iterator[FakeServer]:
    with FakeServer().serving() as server:
        yield server


@pytest.fixture(scope="module")
def files(label_studio: FakeServer) -> Iterator[Files]:
    """Fetch files from a Label Studio that has just one."""
    client = LabelStudioClient.open(label_studio.url, label_studio.tokens[0])
    own_files = Files.open(client.access, client.url, [])
    yield own_files
    own_files.close()
    client.close()


@pytest.fixture(scope="module")
def address(label_studio: FakeServer) -> str:
    """Upload a recording; return its address as tasks hold it."""
    config = choices_config("a", "b", tag="TimeSeries", attributes='value="$csv"')
    with signed_in(label_studio.url, label_studio.tokens) as people:
        project = people.create_project("recordings", config)
        [task] = people.upload_csv(project, {"one.csv": "a,b\n1,2\n3,4"})
        return str(people.task(task)["data"]["csv"])


class Read(Protocol):
    """Reads one task."""

    def __call__(
        self, data: JsonObject, kind: str, *keys: str, shown: Schema = ...
    ) -> TaskInput | str:
        """Return what is learnt from it, or why it goes on waiting."""


@pytest.fixture
def read(files: Files) -> Read:
    def one(
        data: JsonObject, kind: str, *keys: str, shown: Schema = TEXT
    ) -> TaskInput | str:
        reads = InputSpec(kind=kind, keys=keys)
        return attempt(TaskReader(schema=shown, reads=reads, files=files), data)

    return one


TEXT = schema()
RECORDING = schema(tag="TimeSeries", key="csv", is_address=True)


def test_a_text_is_read_without_its_blanks(read: Read) -> None:
    assert read({"text": "  good \n"}, "text", "text") == TaskInput(text="good")


@pytest.mark.parametrize(
    "data", [{}, {"text": None}, {"text": " "}, {"text": []}, {"text": {"a": 1}}]
)
def test_a_task_without_text_is_set_aside_with_the_reason(
    read: Read, data: JsonObject
) -> None:
    reading = read(data, "text", "text")

    assert reading == TaskInput(refused="the task has no text under 'text'")


def test_several_texts_are_read_as_one(read: Read) -> None:
    data = {"title": "Good", "text": "it was", "year": 1999}

    reading = read(data, "text", "title", "text", "year")

    assert reading == TaskInput(text="Good it was 1999")


def test_a_long_text_is_cut(read: Read) -> None:
    reading = read({"text": "x" * 200_000}, "text", "text")

    assert isinstance(reading, TaskInput)
    assert len(reading.text or "") == 100_000


def test_a_text_may_be_a_file(read: Read, address: str) -> None:
    reading = read({"text": address}, "text", "text", shown=schema(is_address=True))

    assert reading == TaskInput(text="a,b\n1,2\n3,4")


def test_numbers_are_read_by_their_names(read: Read) -> None:
    reading = read({"x": 1, "y": "2.5", "z": 9}, "numbers", "x", "y")

    assert reading == TaskInput(numbers={"x": 1.0, "y": 2.5})


@pytest.mark.parametrize("mark", ["?", "-", "n.a.", "null", ".", "much", "1,5"])
def test_what_is_no_number_in_a_column_of_numbers_is_missing(
    read: Read, mark: str
) -> None:
    reading = read({"x": 1, "y": f" {mark} "}, "numbers", "x", "y")

    assert reading == TaskInput(numbers={"x": 1.0}, marks={"y": mark})


def test_a_row_without_any_number_is_set_aside_with_the_reason(read: Read) -> None:
    reading = read({"x": None, "y": "?"}, "numbers", "x", "y")

    assert reading == TaskInput(refused="the value of 'y' is not a number")


def test_categories_and_vectors_are_read_into_columns(read: Read) -> None:
    names = ("x", named_category("colour"), named_vector("v", 2))

    reading = read({"x": "1.5", "colour": " red ", "v": [3, 0.5]}, "numbers", *names)

    assert isinstance(reading, TaskInput)
    assert sorted(reading.numbers.values()) == [0.5, 1.0, 1.5, 3.0]
    assert reading == read(
        {"x": 1.5, "colour": "red", "v": [3.0, 0.5]}, "numbers", *names
    )


def test_what_is_missing_in_a_mixed_row_is_left_out(read: Read) -> None:
    names = ("x", named_category("colour"), named_vector("v", 2), "y")

    reading = read({"x": 1, "colour": " ", "v": None, "y": ""}, "numbers", *names)

    assert reading == TaskInput(numbers={"x": 1.0})


@pytest.mark.parametrize("value", [[1, 2, 3], [1], [1, "2"], [[1], [2]], "1 2", 7, {}])
def test_what_is_no_vector_of_the_length_is_set_aside(
    read: Read, value: object
) -> None:
    reading = read({"v": value, "x": 1}, "numbers", "x", named_vector("v", 2))

    assert reading == TaskInput(refused="the value of 'v' is not a list of 2 numbers")


def test_what_is_no_word_is_no_category(read: Read) -> None:
    reading = read({"colour": ["red"]}, "numbers", named_category("colour"))

    assert reading == TaskInput(refused="the value of 'colour' is not a word")


def test_text_and_numbers_are_read_side_by_side(read: Read) -> None:
    reading = read({"text": "good", "x": 3}, "text and numbers", "text", "x")

    assert reading == TaskInput(text="good", numbers={"x": 3.0})


def test_a_recording_is_read_from_its_file(read: Read, address: str) -> None:
    reading = read({"csv": f" {address} "}, "recording", "csv", shown=RECORDING)

    assert isinstance(reading, TaskInput)
    assert reading.numbers["a mean"] == 2.0


def test_a_file_that_cannot_be_had_now_leaves_the_task_waiting(
    read: Read, address: str, label_studio: FakeServer
) -> None:
    label_studio.faults.plan(Fault(path="/data/upload", status=503))

    first = read({"csv": address}, "recording", "csv", shown=RECORDING)
    again = read({"csv": address}, "recording", "csv", shown=RECORDING)

    assert "status 503" in str(first)
    assert isinstance(again, TaskInput)


@pytest.mark.parametrize("data", [{"csv": "/gone.csv"}, {}, {"csv": None}, {"csv": 3}])
def test_a_recording_that_will_not_be_had_is_set_aside(
    read: Read, data: JsonObject
) -> None:
    reading = read(data, "recording", "csv", shown=RECORDING)

    assert isinstance(reading, TaskInput)
    assert reading.refused


def test_an_image_is_read_from_the_data_or_from_its_file(
    read: Read, address: str
) -> None:
    shown = schema(tag="Image", key="image", is_address=True)
    dot = (
        "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    )

    inline = read({"image": dot}, "image", "image", shown=shown)
    no_image = read({"image": address}, "image", "image", shown=shown)

    assert isinstance(inline, TaskInput)
    assert inline.numbers["shape 0"] == 0.0
    assert isinstance(no_image, TaskInput)
    assert "not an image in a supported format" in no_image.refused


def test_a_long_recording_does_not_wait_for_others_in_memory(files: Files) -> None:
    reads = InputSpec(kind="recording", keys=("csv",))
    reader = TaskReader(schema=RECORDING, reads=reads, files=files)
    short: JsonObject = {"csv": {"a": [0.5, 1.5] * 10}}
    long: JsonObject = {"csv": {"a": [0.5, 1.5] * 50_000}}

    opened = [reader.open(data) for data in (short, long)]

    assert [type(one) for one in opened] == [Recording, TaskInput]
    assert reader.read(long).numbers["a mean"] == 1.0


def shows(value: str, tag: str = "Text", *, is_address: bool = False) -> Schema:
    """Build a schema whose tag has this value."""
    return Schema(
        control="label",
        target="item",
        classes=("a", "b"),
        tag=tag,
        value=value,
        is_address=is_address,
        channels=channels("x"),
    )


def read_by_itself(shown: Schema, data: JsonObject) -> TaskInput:
    """Read a task as is decided from it alone; no file can be had."""
    reads = choose_input(shown, Preferences(), [data])
    return TaskReader(schema=shown, reads=reads, files=NoFiles()).read(data)


class NoFiles:
    """Says which file is wanted."""

    def fetch(self, address: str) -> bytes:
        message = f"wanted: {address}"
        raise BadItemError(message)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("$post.body", "the body of a post"),
        ("$posts[1].body", "a second body"),
        ("Title: $title / $post.body", "Title: A title / the body of a post"),
        ("$lines", "first,second"),
        ("$my-key", "a key that no name can hold"),
    ],
)
def test_a_text_is_read_as_label_studio_shows_it(value: str, text: str) -> None:
    data: JsonObject = {
        "title": "A title",
        "post": {"body": "the body of a post"},
        "posts": [{"body": "a first"}, {"body": "a second body"}],
        "lines": ["first", "second"],
        "my-key": "a key that no name can hold",
    }

    assert read_by_itself(shows(value), data) == TaskInput(text=text)


@pytest.mark.parametrize("value", ["$my text", "$my-text"])
def test_a_key_that_the_editor_reads_in_part_is_explained(value: str) -> None:
    refusal = read_by_itself(shows(value), {"mytext": "here"}).refused

    assert refusal.startswith("the data has no key 'my', which is all that")
    assert value in refusal
    assert "rename it in the data and in the label config" in refusal
    two = read_by_itself(shows("$title / $body"), {"mytext": "here"}).refused
    assert two == "the data has no key 'title', 'body'"


@pytest.mark.parametrize(
    ("shown", "address"),
    [
        (shows("$files.csv", "TimeSeries", is_address=True), "/a.csv"),
        (shows("$images[1]", "Image", is_address=True), "/2.png"),
        (shows("/$files.name", "Text", is_address=True), "/b.txt"),
    ],
)
def test_a_file_is_fetched_from_where_its_value_leads(
    shown: Schema, address: str
) -> None:
    data: JsonObject = {
        "files": {"csv": "/a.csv", "name": "b.txt"},
        "images": ["/1.png", "/2.png"],
    }

    assert read_by_itself(shown, data) == TaskInput(refused=f"wanted: {address}")


def test_a_recording_and_a_row_may_lie_deeper_or_be_the_data_itself() -> None:
    columns: JsonObject = {"x": [1, 2, 4]}
    deep = read_by_itself(shows("$a.b", "TimeSeries"), {"a": {"b": columns}})
    itself = read_by_itself(shows("", "TimeSeries"), columns)
    row = shows("$a[0]", "Table")
    sample: list[JsonObject] = [{"a": [{"width": n / 2}]} for n in range(9)]

    assert deep.numbers == itself.numbers
    assert deep.numbers["x mean"] == pytest.approx(7 / 3)
    assert choice(sample, row) == ("numbers", ("width",))
    assert choice([{"a": ['{"width": 1}']}, {"a": ['{"width": 2}']}] * 5, row) == (
        "numbers",
        ("width",),
    )


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (shows("$post.gone"), "the task has no text under 'post.gone'"),
        (shows("$gone and $away"), "the data has no key 'gone', 'away'"),
        (shows("text"), "names no entry of the data"),
        (shows("/$gone", "Image"), "the data has no key 'gone'"),
        (shows("$gone.png", "Image"), "the task has no image address"),
    ],
)
def test_what_is_not_there_is_named(shown: Schema, reason: str) -> None:
    assert reason in read_by_itself(shown, {"post": {"body": "x"}}).refused


def test_a_constant_text_names_rows_at_most() -> None:
    assert choice(rows(["same"] * 9), shows("Which of these?"))[0] == "numbers"


def test_features_may_name_what_is_shown_deeper() -> None:
    sample: list[JsonObject] = [{"post": {"body": f"text {n}"}} for n in range(9)]

    choice_of_input = choice(sample, shows("$post.body"), features=["post.body"])

    assert choice_of_input == ("text", ("post.body",))
