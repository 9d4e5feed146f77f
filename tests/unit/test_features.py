"""From what a task shows to a row of numbers."""

import numpy as np
import pytest

from model.errors import BadItemError
from model.features.tabular import numbers, standardise
from model.features.text import embed, is_informative
from model.features.timeseries import STATISTICS, describe, feature_names


def wave(*, frequency: float, rate: float = 100.0, seconds: float = 2.0) -> np.ndarray:
    """Build a one-channel recording of a pure tone."""
    time = np.arange(0, seconds, 1 / rate)
    return np.sin(2 * np.pi * frequency * time)[:, None]


def statistic(samples: np.ndarray, name: str, rate: float = 100.0) -> float:
    return float(describe(samples, rate)[STATISTICS.index(name)])


def test_numbers_come_from_numbers_truth_values_and_numerals() -> None:
    data = {"a": 1, "b": 2.5, "c": True, "d": " -3.5e1 ", "e": ".5"}

    assert numbers(data, None) == {"a": 1.0, "b": 2.5, "c": 1.0, "d": -35.0, "e": 0.5}


@pytest.mark.parametrize(
    "missing", [None, "", " ", "nan", "NaN", "-inf", float("nan"), 10**400]
)
def test_what_is_missing_is_left_out(missing: object) -> None:
    assert numbers({"x": missing, "y": 1}, ["x", "y"]) == {"y": 1.0}


@pytest.mark.parametrize("other", ["3.5 kg", "1_000", "٣", [1.0], {"v": 1}])
def test_what_is_no_number_is_passed_over_unless_asked_for(other: object) -> None:
    data = {"x": other, "y": 1}

    assert numbers(data, None) == {"y": 1.0}
    with pytest.raises(BadItemError, match="the value of 'x' is not a number"):
        numbers(data, {"x", "y"})


@pytest.mark.parametrize("keys", [None, ["x"], []])
def test_a_task_without_numbers_is_bad(keys: list[str] | None) -> None:
    with pytest.raises(BadItemError):
        numbers({"x": None, "text": "hello"}, keys)


def test_standardised_features_have_one_scale() -> None:
    raw = np.array([[1, 10], [2, 30], [3, 20]], dtype=np.float32)

    scaled = standardise(raw)

    assert scaled.dtype == np.float32
    assert scaled.mean(axis=0) == pytest.approx([0, 0], abs=1e-6)
    assert scaled.std(axis=0) == pytest.approx([1, 1], abs=1e-6)


def test_a_missing_value_becomes_the_median() -> None:
    raw = np.array([[1], [2], [100], [np.nan]], dtype=np.float32)

    scaled = standardise(raw)

    assert scaled[3] == scaled[1]


def test_columns_that_tell_nothing_are_dropped() -> None:
    raw = np.array([[0.1, np.nan, 1], [0.1, np.inf, 2]], dtype=np.float32)

    assert standardise(raw).shape == (2, 1)


def test_outliers_are_clipped() -> None:
    raw = np.zeros((1000, 1), dtype=np.float32)
    raw[0] = 1e30

    assert standardise(raw).max() == 8.0


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (1, 3), (4, 0)])
def test_there_may_be_nothing_to_standardise(shape: tuple[int, int]) -> None:
    assert standardise(np.ones(shape, dtype=np.float32)).shape == (shape[0], 0)


@pytest.mark.parametrize("n_channels", [1, 3, 12, 13])
def test_each_statistic_of_a_recording_has_a_name(n_channels: int) -> None:
    samples = np.random.default_rng(0).normal(size=(50, n_channels))
    channels = [f"channel{number}" for number in range(n_channels)]

    names = feature_names(channels)

    assert len(set(names)) == len(names)
    assert describe(samples).shape == (len(names),)


@pytest.mark.parametrize("frequency", [5.0, 20.0])
def test_a_tone_is_found_at_its_frequency(frequency: float) -> None:
    tone = wave(frequency=frequency)

    assert statistic(tone, "dominant frequency") == pytest.approx(frequency)
    assert statistic(tone, "spectral centroid") == pytest.approx(frequency, rel=0.01)
    assert statistic(tone, "spectral entropy") == pytest.approx(0.0, abs=0.01)


def test_a_fast_tone_crosses_zero_more_often() -> None:
    slow, fast = wave(frequency=5), wave(frequency=20)

    assert statistic(fast, "zero crossings") == pytest.approx(
        4 * statistic(slow, "zero crossings"), rel=0.1
    )


def test_a_slow_tone_sounds_in_a_lower_band() -> None:
    slow, fast = wave(frequency=4), wave(frequency=40)

    assert statistic(slow, "band 2") > statistic(slow, "band 4")
    assert statistic(fast, "band 2") < statistic(fast, "band 4")


def test_opposite_channels_are_anticorrelated() -> None:
    tone = wave(frequency=5)

    values = describe(np.hstack([tone, -tone]))

    assert values[-1] == pytest.approx(-1.0)


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_a_short_recording_is_described(length: int) -> None:
    samples = np.random.default_rng(0).normal(size=(length, 3))

    assert np.isfinite(describe(samples)).all()


@pytest.mark.parametrize("value", [0.0, -5.5, 1e30, 1e300, -1e300])
def test_a_constant_recording_is_described(value: float) -> None:
    assert np.isfinite(describe(np.full((20, 2), value))).all()


def test_missing_samples_are_interpolated() -> None:
    ramp = np.arange(10.0)[:, None]
    holes = ramp.copy()
    holes[[3, 4, 7]] = np.nan

    assert np.array_equal(describe(holes), describe(ramp))


def test_a_channel_without_samples_is_bad() -> None:
    samples = np.ones((5, 2))
    samples[:, 1] = np.nan

    with pytest.raises(BadItemError, match="channel 2"):
        describe(samples)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_a_recording_without_samples_is_bad(shape: tuple[int, int]) -> None:
    with pytest.raises(BadItemError, match="no samples"):
        describe(np.ones(shape))


TOPICS = [
    f"{adjective} {noun} {number}"
    for number in range(10)
    for adjective, noun in [("great", "movie"), ("wet", "weather"), ("awful", "film")]
]


def similarity(texts: list[str], one: int, other: int) -> float:
    rows = embed(texts, np.arange(len(texts)))
    return float(rows[one] @ rows[other])


def test_texts_that_share_words_are_near() -> None:
    assert similarity(TOPICS, 0, 3) > similarity(TOPICS, 0, 4) + 0.2


def test_chinese_texts_that_share_characters_are_near() -> None:
    texts = ["这部电影很好看", "电影真的好看", "今天天气下雨了", "明天下雨吗", "好看"]

    assert similarity(texts, 0, 1) > similarity(texts, 0, 2) + 0.2


def test_hindi_vowel_signs_do_not_split_words() -> None:
    texts = ["किताब अच्छी", "किताब नई", "कमल सुंदर"]

    assert similarity(texts, 0, 1) > similarity(texts, 0, 2) + 0.1


def test_rows_of_text_have_length_one() -> None:
    rows = embed([*TOPICS, ""], np.arange(len(TOPICS)))

    length = np.linalg.norm(rows, axis=1)
    assert rows.dtype == np.float32
    assert length[:-1] == pytest.approx(1.0, abs=1e-5)
    assert length[-1] == 0.0


@pytest.mark.parametrize(
    "texts",
    [[""], ["", "  "], ["same"] * 5, ["?!"], ["🙂", "🙃 🙂"], ["one"], ["a", ""]],
    ids=str,
)
def test_any_texts_can_be_embedded(texts: list[str]) -> None:
    rows = embed(texts, np.arange(len(texts)))

    assert len(rows) == len(texts)
    assert np.isfinite(rows).all()


def test_a_text_outside_the_sample_does_not_change_the_others() -> None:
    sample = np.arange(len(TOPICS))

    alone = embed(TOPICS, sample)
    accompanied = embed([*TOPICS, "something else"], sample)

    assert np.array_equal(alone, accompanied[:-1])


@pytest.mark.parametrize(
    "texts",
    [
        [f"row {number}" for number in range(50)],
        [f"window_{number}.csv" for number in range(50)],
        [f"{number * 2654435761 % 2**32:08x}-4a1f" for number in range(500)],
        [str(number) for number in range(50)],
        ["the same"] * 50,
        [""] * 50,
        [],
    ],
    ids=lambda texts: texts[0] if texts else "none",
)
def test_names_are_not_informative(texts: list[str]) -> None:
    assert not is_informative(texts)


@pytest.mark.parametrize(
    "texts",
    [
        TOPICS,
        ["great movie", "awful movie"] * 10,
        ["great movie", "awful film", "great film", "awful movie"],
        ["I loved all of it so much", "what a terrible waste of my evening"],
        ["这部电影很好看", "电影真的好看", "今天天气下雨了", "明天下雨吗"],
    ],
    ids=lambda texts: texts[0],
)
def test_content_is_informative(texts: list[str]) -> None:
    assert is_informative(texts)
