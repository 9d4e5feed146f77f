"""Recordings and texts are divided into units, and these described."""

import numpy as np
import pytest

from dubito.model.stretches import recording_units
from dubito.model.stretches.recording_units import (
    describe_units,
    unit_length,
    unit_starts,
)
from dubito.model.stretches.sound_units import unit_seconds
from dubito.model.stretches.video_units import unit_frames
from dubito.model.stretches.word_units import word_ids, words_of

RATE = 50.0


@pytest.mark.parametrize("n_samples", [4_000, 30_000, 1_000_000])
def test_a_recording_has_some_250_units(n_samples: int) -> None:
    assert 170 <= len(unit_starts(n_samples, unit_length(n_samples))) <= 360


def test_a_unit_of_a_short_recording_has_16_samples() -> None:
    assert unit_length(1) == unit_length(1_000) == 16


@pytest.mark.parametrize(
    ("wanted", "length"),
    [(1e-9, 16), (16.4, 16), (100.0, 100), (1e15, 4_000)],
)
def test_an_owner_chooses_how_long_a_unit_is_within_reason(
    wanted: float, length: int
) -> None:
    assert unit_length(4_000, wanted) == length


def test_a_task_has_2000_units_at_most_however_short_they_are_to_be() -> None:
    assert len(unit_starts(10**6, unit_length(10**6, 16))) == 2_000
    assert unit_seconds(3_600, 0.1) == 1.8
    assert unit_frames(3_600, 25, 0.1) == 45


@pytest.mark.parametrize(("wanted", "seconds"), [(0.01, 0.1), (0.5, 0.5), (99, 99)])
def test_a_unit_of_a_sound_has_a_tenth_of_a_second_at_least(
    wanted: float, seconds: float
) -> None:
    assert unit_seconds(20, wanted) == seconds


@pytest.mark.parametrize(("wanted", "frames"), [(0.01, 6), (1, 25), (1e15, 500)])
def test_a_unit_of_a_video_has_a_quarter_of_a_second_at_least(
    wanted: float, frames: int
) -> None:
    assert unit_frames(20, 25, wanted) == frames


@pytest.mark.parametrize(
    ("n_samples", "starts"),
    [
        (0, []),
        (1, [0]),
        (15, [0]),
        (23, [0]),
        (24, [0, 16]),
        (39, [0, 16]),
        (40, [0, 16, 32]),
    ],
)
def test_a_rest_is_a_unit_if_it_is_half_a_unit(
    n_samples: int, starts: list[int]
) -> None:
    assert unit_starts(n_samples, 16).tolist() == starts


def test_units_of_different_signals_are_told_apart() -> None:
    time = np.arange(3_000) / RATE
    slow, fast = np.sin(2 * np.pi * 1 * time), np.sin(2 * np.pi * 6 * time)
    signal = np.where(time < 30, slow, fast)[:, None]

    described = describe_units(signal, unit_starts(3_000, 50), RATE)

    early, late = described[10:20], described[40:50]
    within = np.abs(early - early.mean(axis=0)).max(axis=0)
    assert (np.abs(early.mean(axis=0) - late.mean(axis=0)) > 3 * within).sum() > 5


@pytest.mark.parametrize("n_samples", [1, 2, 16, 17, 100, 5_000])
@pytest.mark.parametrize("value", [0.0, -3.0, 1e150])
def test_any_recording_is_described(n_samples: int, value: float) -> None:
    starts = unit_starts(n_samples, unit_length(n_samples))

    described = describe_units(np.full((n_samples, 2), value), starts, RATE)

    whole = describe_units(np.zeros((300, 2)), unit_starts(300, 16), RATE)
    assert described.shape == (len(starts), whole.shape[1])
    assert np.isfinite(described).all()


def test_units_are_described_alike_however_many_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = np.random.default_rng(0).normal(size=(1_000, 3))
    starts = unit_starts(1_000, 16)
    whole = describe_units(samples, starts, RATE)

    monkeypatch.setattr(recording_units, "AT_A_TIME", 1_000)

    assert describe_units(samples, starts, RATE) == pytest.approx(whole, rel=1e-5)


def test_frequencies_are_told_in_hertz() -> None:
    time = np.arange(2_000) / RATE
    wave = np.sin(2 * np.pi * 5 * time)[:, None]

    described = describe_units(wave, unit_starts(2_000, 20), RATE)

    assert (np.abs(described - 5.0) < 0.3).all(axis=0).sum() >= 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \n\t ", []),
        (
            "Dr. Ada-Lovelace, 1843!",
            ["Dr", ".", "Ada", "-", "Lovelace", ",", "1843", "!"],
        ),
        ("Grüße aus Köln", ["Grüße", "aus", "Köln"]),
        ("cafe\u0301 noir", ["cafe\u0301", "noir"]),
        ("我爱北京 now", ["我", "爱", "北", "京", "now"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("שלום, עולם", ["שלום", ",", "עולם"]),
        ("a\U0001f600b", ["a", "\U0001f600", "b"]),
        ("\ud800x", ["\ud800", "x"]),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in words_of(text)] == words


TEXTS = ["Ada met Bob.", "", "\ud800 \U0001f600", "x" * 100_000, "ada MET 我"]


def test_each_word_has_as_many_ids() -> None:
    ids = word_ids(TEXTS)

    assert [len(rows) for rows in ids] == [len(words_of(text)) for text in TEXTS]
    assert len({rows.shape[1] for rows in ids}) == 1
    assert {rows.dtype for rows in ids} == {np.dtype(np.uint32)}


def test_a_text_has_the_same_ids_whatever_stands_beside_it() -> None:
    together = word_ids(TEXTS)

    for text, ids in zip(TEXTS, together, strict=True):
        assert np.array_equal(word_ids([text])[0], ids)


def test_words_share_ids_as_far_as_they_are_alike() -> None:
    (ids,) = word_ids(["Walking and walking or sitting"])

    own = [set(row) for row in ids[:, :12].tolist()]
    shared = [len(own[0] & other) for other in own]
    assert shared[2] > shared[4] > shared[1]


def test_names_of_any_length_and_numbers_are_alike() -> None:
    (ids,) = word_ids(["Jo Christopher lives at 7 and 2026 iPhone"])
    jo, christopher, lives, _, seven, _, year, phone = map(set, ids[:, :12].tolist())

    assert len(jo & christopher) == len(seven & year) == 2
    assert not jo & lives
    assert not jo & phone


def test_neighbours_are_part_of_a_word() -> None:
    near, far = word_ids(["big cat", "big black old ugly cat"])

    assert set(near[1].tolist()) - set(far[4].tolist())
    assert set(near[0][:12].tolist()) == set(far[0][:12].tolist())
