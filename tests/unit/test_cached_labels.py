"""What "Cache Labels" wrote into the data of tasks is an answer, not a feature."""

import pytest

from dubito.backend.data_kinds.column_inference import telling
from dubito.backend.records import JsonObject
from tests.builders import schema


def rows(*cached: object) -> list[JsonObject]:
    """Build tasks of one measured value, with what was cached in each by turns."""
    return [
        {"x": number / 7, "cache_all": cached[number % len(cached)]}
        for number in range(60)
    ]


@pytest.mark.parametrize(
    "cached",
    [
        ("a: 1", "b: 1"),
        ("a: 2", "a: 1, b: 1", ""),
        ("a", "b"),
        ("a, b", "b"),
        ("a: 12", "b: 3", "a: 1"),
    ],
)
def test_cached_labels_are_not_learnt_from(cached: tuple[str, ...]) -> None:
    assert telling(rows(*cached), schema("a", "b"), "") == ("x",)


@pytest.mark.parametrize("other", [("red", "blue"), ("a: x", "b: y"), ("c: 1", "a: 1")])
def test_other_categories_are(other: tuple[str, ...]) -> None:
    columns = telling(rows(*other), schema("a", "b"), "")

    assert len(columns) == 2
    assert any("cache_all" in name for name in columns)


def test_a_class_may_have_a_comma_in_its_name() -> None:
    assert telling(rows("a, b", "c"), schema("a, b", "c"), "") == ("x",)
