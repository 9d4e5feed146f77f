"""What a project's owner may choose, and how a mistake is told."""

import pytest

from dubito.backend.errors import ProjectSettingsError
from dubito.backend.project_settings import Initial, Preferences, read_preferences

NO_OBJECTS: tuple[object, ...] = (
    "[1]",
    "[]",
    '"margin"',
    "0",
    "false",
    [],
    [1],
    0,
    17,
    False,
)


@pytest.mark.parametrize("nothing", [None, "", "  ", "{}", "null", {}, "  {}\n"])
def test_nothing_need_be_chosen(nothing: object) -> None:
    assert read_preferences(nothing) == Preferences()


@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: f"\n {text} "])
def test_everything_can_be_chosen(wrap: object) -> None:
    text = (
        '{"strategy": "entropy", "cost": "length", "unit_length": 0.5,'
        ' "learner": "auto", "features": ["x", "y"],'
        ' "group": "person", "initial": {"random": 3, "centres": 0}, "audit": 0.25,'
        ' "window": 7, "preannotate": true, "seed": 5}'
    )

    preferences = read_preferences(wrap(text) if callable(wrap) else text)

    assert preferences == Preferences(
        strategy="entropy",
        cost="length",
        unit_length=0.5,
        learner="auto",
        features=("x", "y"),
        group="person",
        initial=Initial(random=3, centres=0),
        audit=0.25,
        window=7,
        preannotate=True,
        seed=5,
    )


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ("{not json", "the extra params are not valid JSON"),
        *((no_object, "must be a JSON object") for no_object in NO_OBJECTS),
        ({"windw": 5}, "windw: is no known name; did you mean 'window'\\?"),
        ({"pace": 5}, "pace: is no known name; choose from controls, strategy, .*seed"),
        (
            {"window": -1, "stratgy": "x"},
            r"window: must be at least 1; stratgy: .* did you mean 'strategy'\?",
        ),
        ({"strategy": "gut"}, "strategy: must be 'margin', 'entropy' or 'least_conf"),
        ({"cost": "money"}, "cost: must be 'task' or 'length'"),
        ({"unit_length": 0}, "unit_length: must be greater than 0"),
        ({"unit_length": -0.5}, "unit_length: must be greater than 0"),
        ({"unit_length": float("inf")}, "unit_length: "),
        ({"unit_length": float("nan")}, "unit_length: "),
        ({"unit_length": "long"}, "unit_length: must be a number"),
        ({"class_names": "on"}, "class_names"),
        ({"learner": "best"}, "'best' is unknown; choose from auto"),
        ({"learner": "os:system"}, "'os:system' is unknown"),
        ({"features": "x"}, r'features: must be a list of names, such as \["x"\]'),
        ({"controls": "x"}, r'controls: must be a list of names, such as \["x"\]'),
        ({"features": [""]}, "features.0: "),
        ({"initial": {"random": -1}}, "initial.random: "),
        (
            {"initial": {"centers": 1}},
            "initial.centers: is no known name; did you mean 'centres'\\?",
        ),
        ({"audit": 1.5}, "audit: must be at most 1"),
        ({"audit": float("nan")}, "audit: "),
        ({"window": 0}, "window: "),
        ({"window": 10_000}, "window: must be at most 1000"),
        ({"window": 2.5}, "window: must be a whole number"),
        ({"preannotate": "perhaps"}, "preannotate: must be true or false"),
        ({"group": 7}, "group: must be a text"),
        ({"seed": -1}, "seed: "),
        ({"seed": 2**40}, "seed: "),
        ({"window": 0, "seed": -1}, "window: .*; seed: "),
    ],
)
def test_a_mistake_is_named(chosen: object, sentence: str) -> None:
    with pytest.raises(ProjectSettingsError, match=sentence.replace(".0", r"\.0")):
        read_preferences(chosen)


@pytest.mark.parametrize(
    ("audit", "every"), [(0, 0), (0.1, 10), (0.3, 3), (1, 1), (1e-320, 0)]
)
def test_a_share_of_audit_tasks_is_a_distance(audit: float, every: int) -> None:
    assert Preferences(audit=audit).audit_every == every
