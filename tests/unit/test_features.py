"""From what a task shows to a row of numbers."""

import numpy as np
import pytest

from dubito.model.arrays import Features
from dubito.model.errors import BadItemError
from dubito.model.features.tabular import numbers, standardise
from dubito.model.features.text import Embedding, is_informative, parts_of_words
from dubito.model.features.timeseries import bridged, describe, feature_names


def wave(*, frequency: float, rate: float = 100.0, seconds: float = 2.0) -> np.ndarray:
    """Build a one-channel recording of a pure tone."""
    time = np.arange(0, seconds, 1 / rate)
    return np.sin(2 * np.pi * frequency * time)[:, None]


def named(samples: np.ndarray, rate: float = 100.0) -> dict[str, float]:
    """Describe one recording of channels a, b and so on."""
    row = described(samples, rate).tolist()
    return dict(
        zip(feature_names("abcdefghijklmnopqr"[: samples.shape[1]]), row, strict=True)
    )


def described(samples: np.ndarray, rate: float = 100.0) -> Features:
    [row] = describe(bridged(samples)[None], np.array([rate]))
    return np.asarray(row)


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

    assert scaled.shape == (4, 1)
    assert scaled[3] == scaled[1]


def test_columns_that_tell_nothing_are_dropped() -> None:
    raw = np.array([[0.1, np.nan, 1], [0.1, np.inf, 2]], dtype=np.float32)

    assert standardise(raw).shape == (2, 1)


def test_outliers_are_clipped() -> None:
    raw = np.zeros((1000, 1), dtype=np.float32)
    raw[0] = 1e30

    assert standardise(raw).max() == 8.0


def test_it_is_told_which_values_are_missing_where_that_is_often_so() -> None:
    raw = np.arange(200, dtype=np.float32).reshape(100, 2)
    raw[::2] = np.nan

    scaled = standardise(raw)

    assert scaled.shape == (100, 3)
    assert set(scaled[::2, 2]) == {1.0}
    assert set(scaled[1::2, 2]) == {-1.0}


def test_one_missing_value_is_no_column() -> None:
    raw = np.arange(100, dtype=np.float32)[:, None]
    raw[7] = np.nan

    assert standardise(raw).shape == (100, 1)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (1, 3), (4, 0)])
def test_there_may_be_nothing_to_standardise(shape: tuple[int, int]) -> None:
    assert standardise(np.ones(shape, dtype=np.float32)).shape == (shape[0], 0)


@pytest.mark.parametrize("n_channels", [1, 2, 3, 12, 13, 30, 31, 1_000])
def test_each_number_of_a_recording_has_a_name(n_channels: int) -> None:
    samples = np.random.default_rng(0).normal(size=(1, 20, n_channels))
    channels = [f"channel{number}" for number in range(n_channels)]

    names = feature_names(channels)

    assert len(set(names)) == len(names)
    assert describe(samples, np.ones(1)).shape == (1, len(names))


def test_many_channels_do_not_make_endless_columns() -> None:
    """A thousand electrodes are described by a few numbers each."""
    assert len(feature_names([str(n) for n in range(1_000)])) < 5_000
    assert len(feature_names([str(n) for n in range(12)])) < 1_000


@pytest.mark.parametrize("frequency", [5.0, 20.0])
def test_a_tone_is_found_at_its_frequency(frequency: float) -> None:
    tone = named(wave(frequency=frequency))

    assert tone["a dominant frequency"] == pytest.approx(frequency)
    assert tone["a spectral centroid"] == pytest.approx(frequency, rel=0.01)
    assert tone["a spectral entropy"] == pytest.approx(0.0, abs=0.01)
    assert tone["a step dominant frequency"] == pytest.approx(frequency, rel=0.01)


def test_a_frequency_is_told_in_the_units_of_the_time() -> None:
    """The same samples, taken half as often, swing half as fast."""
    samples = wave(frequency=20)

    quick, slow = named(samples, rate=100.0), named(samples, rate=50.0)

    assert quick["a dominant frequency"] == 2 * slow["a dominant frequency"]
    assert quick["a band 3"] == slow["a band 3"]


def test_a_fast_tone_crosses_zero_more_often() -> None:
    slow, fast = named(wave(frequency=5)), named(wave(frequency=20))

    assert fast["a zero crossings"] == pytest.approx(
        4 * slow["a zero crossings"], rel=0.1
    )


def test_a_slow_tone_sounds_in_a_lower_band() -> None:
    slow, fast = named(wave(frequency=4)), named(wave(frequency=40))

    assert slow["a band 2"] > slow["a band 4"]
    assert fast["a band 2"] < fast["a band 4"]


def test_a_drift_hides_no_jolt_from_the_steps() -> None:
    drifting = np.arange(100.0)[:, None] * 10
    jolted = drifting.copy()
    jolted[50:] += 5

    assert named(jolted)["a step max"] == named(drifting)["a step max"] + 5


def test_the_length_over_three_axes_does_not_depend_on_how_a_sensor_is_worn() -> None:
    samples = np.random.default_rng(0).normal(size=(60, 3))
    turn = np.array([[0.0, -1, 0], [0.6, 0, -0.8], [0.8, 0, 0.6]])

    worn, turned = named(samples), named(samples @ turn.T)

    lengths = [name for name in worn if name.startswith("a & b & c ")]
    assert len(lengths) == 16
    assert [worn[n] for n in lengths] == pytest.approx([turned[n] for n in lengths])
    assert worn["a sd"] != pytest.approx(turned["a sd"])


def test_opposite_channels_are_anticorrelated() -> None:
    tone = wave(frequency=5)

    assert named(np.hstack([tone, -tone]))["a by b"] == pytest.approx(-1.0)


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_a_short_recording_is_described(length: int) -> None:
    samples = np.random.default_rng(0).normal(size=(length, 3))

    assert np.isfinite(described(samples)).all()


@pytest.mark.parametrize("value", [0.0, -5.5, 0.1, 1e30, 1e300, -1e300])
def test_a_constant_recording_is_still(value: float) -> None:
    """Rounding errors are no motion."""
    still = named(np.full((20, 3), value))

    assert np.isfinite(list(still.values())).all()
    assert still["a sd"] == still["a zero crossings"] == still["a by b"] == 0.0
    assert still["a dominant frequency"] == 0.0


def test_missing_samples_are_interpolated() -> None:
    ramp = np.arange(10.0)[:, None]
    holes = ramp.copy()
    holes[[3, 4, 7]] = [[np.nan], [np.inf], [-np.inf]]

    assert np.array_equal(bridged(holes), ramp)
    assert np.isnan(holes[3])


def test_a_channel_without_samples_is_bad() -> None:
    samples = np.ones((5, 2))
    samples[:, 1] = np.nan

    with pytest.raises(BadItemError, match="channel 2"):
        bridged(samples)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_a_recording_without_samples_is_bad(shape: tuple[int, int]) -> None:
    with pytest.raises(BadItemError, match="no samples"):
        bridged(np.ones(shape))


TOPICS = [
    f"{adjective} {noun} {number}"
    for number in range(10)
    for adjective, noun in [("great", "movie"), ("wet", "weather"), ("awful", "film")]
]


def similarity(texts: list[str], one: int, other: int) -> float:
    rows = Embedding.of(texts).apply(texts)
    return float(rows[one] @ rows[other])


def test_texts_that_share_words_are_near() -> None:
    assert similarity(TOPICS, 0, 3) > similarity(TOPICS, 0, 4) + 0.2


def test_chinese_texts_that_share_characters_are_near() -> None:
    texts = ["这部电影很好看", "电影真的好看", "今天天气下雨了", "明天下雨吗", "好看"]

    assert similarity(texts, 0, 1) > similarity(texts, 0, 2) + 0.2


def test_hindi_vowel_signs_do_not_split_words() -> None:
    texts = ["किताब अच्छी", "किताब नई", "कमल सुंदर"]

    assert similarity(texts, 0, 1) > similarity(texts, 0, 2) + 0.1


def test_rows_of_text_have_length_one_but_for_the_style() -> None:
    rows = Embedding.of(TOPICS).apply([*TOPICS, ""])

    length = np.linalg.norm(rows[:, :-7], axis=1)
    assert rows.dtype == np.float32
    assert length[:-1] == pytest.approx(1.0, abs=1e-5)
    assert length[-1] == 0.0
    assert np.abs(rows[:, -7:]).max() <= 0.2


def test_shouting_is_told_from_talking() -> None:
    texts = ["come here now", "COME HERE NOW!", "go away then", "GO AWAY THEN!!"]

    rows = Embedding.of(texts).apply(texts)[:, -7:]

    near, far = np.linalg.norm(rows[1] - rows[3]), np.linalg.norm(rows[1] - rows[0])
    assert near < far


@pytest.mark.parametrize(
    "texts",
    [[""], ["", "  "], ["same"] * 5, ["?!"], ["🙂", "🙃 🙂"], ["one"], ["a", ""]],
    ids=str,
)
def test_any_texts_can_be_embedded(texts: list[str]) -> None:
    rows = Embedding.of(texts).apply(texts)

    assert len(rows) == len(texts)
    assert np.isfinite(rows).all()


def test_a_text_is_embedded_alike_whatever_stands_beside() -> None:
    learnt = Embedding.of(TOPICS)

    alone = [learnt.apply([text])[0] for text in TOPICS]
    together = learnt.apply(["something else", *TOPICS])[1:]

    assert np.array_equal(alone, together)


def test_texts_are_cut_to_parts_alike_in_one_go_or_in_several() -> None:
    long = ["ab cd " * 150_000, "some words " * 40_000, *TOPICS, ""]

    together = parts_of_words(long, (3, 4, 5))

    alone = [parts_of_words([text], (3, 4, 5)).toarray()[0] for text in long]
    assert np.array_equal(together.toarray(), alone)


def test_parts_of_words_do_not_reach_beyond_a_word_or_a_text() -> None:
    counts = parts_of_words(["ab cd", "cd", "ab"], (3, 4, 5)).toarray()

    assert np.array_equal(counts[0], counts[1] + counts[2])
    assert counts.sum(axis=1).tolist() == [6, 3, 3]


def test_inflected_words_are_near() -> None:
    texts = ["walking", "walked", "sleeping", "sleeper", "house", "walker"]

    assert similarity(texts, 0, 1) > similarity(texts, 1, 3) + 0.05


def test_there_may_be_no_text_to_embed() -> None:
    assert Embedding.of(TOPICS).apply([]).shape[0] == 0


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
