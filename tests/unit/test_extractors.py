"""An extractor of another package describes the items of a project."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dubito.backend.errors import ProjectSettingsError
from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.media import about_unread, learnt_beside
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import read_preferences
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.features.extractors import extractor_version
from dubito.model.features.mixed_columns import AT
from tests.extractor_package import install
from tests.label_studio import choices_config

FILES = {"/a.txt": b"apple", "/clip.mp4": b"saw saw", "/bad.mp4": b"\0", "/empty": b""}


class Shelf:
    """The files that there are."""

    def fetch(self, address: str) -> bytes:
        if address not in FILES:
            raise BadItemError(address)
        return FILES[address]


@pytest.fixture(autouse=True)
def package(tmp_path: Path) -> Iterator[Path]:
    install(tmp_path)
    yield tmp_path
    sys.path.remove(str(tmp_path))


def read(
    tag: str, *values: object, attributes: str = "", name: str = "letters"
) -> list[TaskInput]:
    config = choices_config("a", "b", tag=tag, attributes=f'value="$x" {attributes}')
    schema, preferences = read_schema(config), read_preferences({"extractor": name})
    reads = choose_input(schema, preferences, [])
    reader = TaskReader(schema=schema, reads=reads, files=Shelf())
    return reader.described([reader.open({"x": value}) for value in values])


def counts(reading: TaskInput) -> list[float]:
    return list(reading.numbers.values())[:2]


def test_an_extractor_describes_texts_by_a_vector() -> None:
    one, other = read("Text", "apple pie", "saw and saw")

    assert (counts(one), counts(other)) == ([1, 0], [0, 2])
    assert all(name.startswith(f"letters{AT}3{AT}") for name in one.numbers)


def test_an_empty_file_is_called_empty_and_shown_to_no_extractor() -> None:
    [clip] = read("Video", "/empty")
    [text] = read("Text", "/empty", attributes='valueType="url"')

    assert clip.refused == text.refused == "the file is empty"


@pytest.mark.parametrize(
    ("tag", "attributes", "value", "expected"),
    [
        ("Text", 'valueType="url"', "/a.txt", [1, 0]),
        ("HyperText", "", "<b class='saw'>apple</b>", [1, 0]),
        ("Paragraphs", "", [{"author": "saw", "text": "apple"}], [1, 1]),
        ("Video", "", "/clip.mp4", [0, 2]),
        ("Image", "", "/a.txt", [1, 0]),
        ("Image", "", "data:image/png;base64,c2F3", [0, 1]),
    ],
)
def test_an_extractor_gets_the_text_that_is_shown_or_the_path_of_a_file(
    tag: str, attributes: str, value: object, expected: list[float]
) -> None:
    (reading,) = read(tag, value, attributes=attributes)

    assert counts(reading) == expected


def test_an_item_on_which_an_extractor_fails_is_set_aside_alone() -> None:
    good, bad, empty, gone = read("Video", "/clip.mp4", "/bad.mp4", "", "/gone.mp4")

    assert counts(good) == [0, 2]
    assert bad.refused == "the extractor 'letters' failed: ValueError: it has no letter"
    assert "no address of a file" in empty.refused
    assert gone.refused


@pytest.mark.parametrize(
    ("name", "why"), [("torn", "array of shape ("), ("endless", "is not finite")]
)
def test_what_is_no_table_of_numbers_is_refused(name: str, why: str) -> None:
    readings = read("Text", "apple", "saw", name=name)

    assert [why in one.refused for one in readings] == [True, True]


def test_an_extractor_that_is_not_installed_is_a_wrong_setting() -> None:
    with pytest.raises(ProjectSettingsError, match="choose from: endless, letters"):
        read_preferences({"extractor": "numbers"})


def test_another_version_of_a_package_is_another_extractor(package: Path) -> None:
    assert extractor_version("letters") == "1.0"

    install(package, "2.0")

    assert extractor_version("letters") == "2.0"


def test_a_list_that_an_extractor_reads_is_not_refused() -> None:
    schema = read_schema(choices_config("a", "b", tag="List", attributes='value="$x"'))
    chosen = {"extractor": "letters"}
    reads = choose_input(schema, read_preferences(chosen), [])

    assert about_unread(schema, reads) == ""
    note = learnt_beside(schema, chosen, [{"x": "/clip.mp4"}])
    assert note == "the extractor 'letters' reads <List>"
