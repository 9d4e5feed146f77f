"""Recordings of several exercises one after the other, with rests in between.

They are composed of the smart watch's recordings in `seglearn`, each of which holds one
exercise of one person. Rests are made: the watch drifts from one posture to the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dubito.model.stretches.recording_units import (
    describe_units,
    unit_length,
    unit_starts,
)
from dubito.model.stretches.units import UnitTable
from tests.benchmarks.sources import WATCH_RATE, watch_recordings

POOL, TEST = 80, 40
POOL_SHARE = 0.6
"""Of each of the watch's recordings; what is tested on comes from the rest."""

REST = -1
RUNS = (3, 6)
RUN_SECONDS, REST_SECONDS = (4.0, 12.0), (2.0, 6.0)
RESTS_BETWEEN = 0.7
DRIFT, NOISE = 0.01, 0.03

Samples: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
Part: TypeAlias = tuple[Samples, int]
"""Samples, and which exercise all of them are of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """Recordings as units, and which exercise each sample is of.

    Attributes
    ----------
    members : (n_units, C) the exercise that most samples of a unit are of
    lengths : (n_units,) samples in each unit
    codes : (n_samples,) of all recordings one after the other; `REST` is none
    """

    units: UnitTable
    members: NDArray[np.bool_]
    lengths: Codes
    codes: Codes

    def share_right(self, predicted: NDArray[np.bool_]) -> float:
        """Return the share of time that (n_units, C) predicted stretches tell right."""
        predictions = np.where(predicted.any(axis=1), predicted.argmax(axis=1), REST)
        return float((np.repeat(predictions, self.lengths) == self.codes).mean())


def composed(seed: int, n_pool: int = POOL) -> tuple[Recordings, Recordings]:
    """Return recordings to learn from and to test on, which share no sample.

    Each second seed learns from the ends of the watch's recordings, not the beginnings.
    """
    rng = np.random.default_rng(seed)
    recordings = list(watch_recordings())
    exercises = sorted({exercise for _, exercise, _ in recordings})
    people = sorted({person for _, _, person in recordings})
    halves: list[dict[int, list[Part]]] = [
        {person: [] for person in people} for _ in "12"
    ]
    for samples, exercise, person in recordings:
        code = exercises.index(exercise)
        way = samples if seed % 2 == 0 else samples[::-1]
        cut = int(len(samples) * POOL_SHARE)
        for half, part in zip(halves, (way[:cut], way[cut:]), strict=True):
            half[person].append((part if seed % 2 == 0 else part[::-1], code))
    pool, test = (
        [_recording(half[int(rng.choice(people))], rng) for _ in range(n)]
        for half, n in zip(halves, (n_pool, TEST), strict=True)
    )
    return _described(pool, len(exercises)), _described(test, len(exercises))


def _recording(
    parts: Sequence[Part], rng: np.random.Generator
) -> tuple[Samples, Codes]:
    """Compose one recording of a person."""
    runs = [_cut(parts, rng) for _ in range(rng.integers(RUNS[0], RUNS[1] + 1))]
    pieces: list[Part] = [(_rest(runs[0][0][0], runs[0][0][0], rng), REST)]
    for place, (samples, code) in enumerate(runs):
        if place and rng.random() < RESTS_BETWEEN:
            pieces.append((_rest(runs[place - 1][0][-1], samples[0], rng), REST))
        pieces.append((samples, code))
    pieces.append((_rest(runs[-1][0][-1], runs[-1][0][-1], rng), REST))
    codes = [np.full(len(samples), code) for samples, code in pieces]
    return np.concatenate([samples for samples, _ in pieces]), np.concatenate(codes)


def _cut(parts: Sequence[Part], rng: np.random.Generator) -> Part:
    samples, code = parts[int(rng.integers(len(parts)))]
    length = min(len(samples), int(rng.uniform(*RUN_SECONDS) * WATCH_RATE))
    start = rng.integers(len(samples) - length + 1)
    return samples[start : start + length], code


def _rest(before: Samples, after: Samples, rng: np.random.Generator) -> Samples:
    """Drift from one posture to another."""
    length = int(rng.uniform(*REST_SECONDS) * WATCH_RATE)
    way = np.linspace(0, 1, length)[:, None]
    way = 3 * way**2 - 2 * way**3
    noise = rng.normal(size=(2, length, len(before)))
    walk = DRIFT * noise[0].cumsum(axis=0) + NOISE * noise[1]
    return np.asarray(before * (1 - way) + after * way + walk)


def _described(
    recordings: Sequence[tuple[Samples, Codes]], n_classes: int
) -> Recordings:
    features, members, lengths = [], [], []
    for samples, codes in recordings:
        starts = unit_starts(len(samples), unit_length(len(samples)))
        features.append(describe_units(samples, starts, WATCH_RATE))
        lengths.append(np.diff(starts, append=len(samples)))
        counts = np.add.reduceat(np.eye(n_classes + 1)[codes], starts)
        most = counts.argmax(axis=1)
        members.append(np.eye(n_classes + 1, dtype=np.bool_)[most][:, :-1])
    return Recordings(
        units=UnitTable.joined(features),
        members=np.concatenate(members),
        lengths=np.concatenate(lengths),
        codes=np.concatenate([codes for _, codes in recordings]),
    )
