"""What a tag's value shows of a task; a contract test holds the same to the editor."""

import pytest

from dubito.model.task_values import as_text, data_keys, missing_names, names, resolve
from tests.values import DATA, SHOWN


@pytest.mark.parametrize(("value", "text"), SHOWN.items())
def test_a_value_shows_what_the_editor_shows(value: str, text: str) -> None:
    result = resolve(value, DATA)

    assert ("" if result is None else as_text(result)) == text


def test_a_single_name_stands_for_the_entry_itself() -> None:
    assert resolve("$post", DATA) is DATA["post"]
    assert resolve("$post.tags", DATA) == ["x", "y"]
    assert resolve("$nothing", DATA) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$text", ("text",)),
        ("$post.body", ("post.body",)),
        ("Title: $title / $body, $title", ("title", "body")),
        ("$a$b", ("a", "b")),
        ("text", ()),
        ("", ()),
        ("100 $", ()),
    ],
)
def test_names_are_told_in_their_order(value: str, expected: tuple[str, ...]) -> None:
    assert names(value) == expected


def test_the_keys_of_the_data_are_the_whole_name_and_its_first_part() -> None:
    assert data_keys("$a.b[0] of $text") == {"a.b[0]", "a", "text"}


def test_what_is_missing_is_named() -> None:
    assert missing_names("$text $gone $post.gone $empty", DATA) == ["gone", "post.gone"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (10**400, "Infinity"),
        (-(10**400), "-Infinity"),
        (1.5e300, "1.5e+300"),
        (-2.5e-9, "-2.5e-9"),
        (-0.0, "0"),
    ],
)
def test_extreme_numbers_are_written_as_in_javascript(number: float, text: str) -> None:
    assert as_text(number) == text


def test_lists_may_be_as_deep_as_json_is() -> None:
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep, 1]

    assert as_text(deep).startswith(",1,1")
