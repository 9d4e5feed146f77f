"""Sounds with events in them: bursts of one percussion sound, over a soft noise.

They are mixed from the samples in `foxdot` (CC BY-SA 4.0). Other samples are heard in
between and belong to no event. No sample of those to test on is among those to learn
from.
"""

import io
from collections.abc import Mapping, Sequence
from functools import cache
from math import gcd
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from tests.benchmarks.marked_tasks import Example, Examples
from tests.benchmarks.packaged_files import packaged_files

SOUNDS = "FoxDot/snd/"
EVENTS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "clap": ("h/upper/", "_/asterix/"),
        "hi-hat": ("_/hyphen/", "_/equals/", "_/colon/"),
        "kick": ("x/lower/", "x/upper/", "v/lower/", "v/upper/"),
        "metal": ("r/lower/", "r/upper/"),
        "snare": ("o/lower/", "o/upper/", "i/lower/", "i/upper/", "u/lower/"),
        "tom": ("m/lower/", "m/upper/"),
    }
)
OTHERS = ("p/lower/", "d/lower/", "k/lower/", "s/lower/", "y/lower/", "w/lower/")
"""Folders of what is heard and belongs to no event."""

POOL, TEST = 80, 40
POOL_SHARE = 0.6
"""Of the samples of each kind; the rest is tested on."""

RATE = 16_000
SECONDS = 20.0
LONGEST_SAMPLE = 0.8
EVENTS_IN_ALL = (2, 6)
HITS, HIT_SECONDS = (2, 7), (0.15, 0.4)
PAUSE_SECONDS = (0.5, 3.0)
STRAY = 0.5
"""So many pauses have a stray sample in them."""

NOISE = 0.003
LOUDNESS = (0.2, 0.8)

Samples: TypeAlias = NDArray[np.float64]
Mark: TypeAlias = tuple[float, float, str]


def percussion(seed: int) -> Examples:
    """Mix sounds."""
    rng = np.random.default_rng(seed)
    pool_samples: dict[str, list[Samples]] = {}
    test_samples: dict[str, list[Samples]] = {}
    for name, samples in _samples().items():
        order = rng.permutation(len(samples)).tolist()
        count = round(POOL_SHARE * len(samples))
        pool_samples[name] = [samples[n] for n in order[:count]]
        test_samples[name] = [samples[n] for n in order[count:]]
    return Examples(
        [_mixed(pool_samples, rng) for _ in range(POOL)],
        [_mixed(test_samples, rng) for _ in range(TEST)],
    )


@cache
def _samples() -> Mapping[str, Sequence[Samples]]:
    """Return the samples of each kind of event, and under "" those of none."""
    sounds = packaged_files("foxdot", SOUNDS)
    return {
        name: [
            _equally_loud(content)
            for path, content in sounds.items()
            if path.removeprefix(SOUNDS).startswith(tuple(folders))
        ]
        for name, folders in {**EVENTS, "": OTHERS}.items()
    }


def _equally_loud(content: bytes) -> Samples:
    """Return the beginning of a sound, one channel whose loudest sample is 1."""
    samples, rate = soundfile.read(io.BytesIO(content), always_2d=True)
    common = gcd(RATE, rate)
    mono = resample_poly(samples.mean(axis=1), RATE // common, rate // common)
    mono = mono[: int(LONGEST_SAMPLE * RATE)]
    return np.asarray(mono / max(float(np.abs(mono).max()), NOISE))


def _mixed(
    samples: Mapping[str, Sequence[Samples]], rng: np.random.Generator
) -> Example:
    sound = NOISE * rng.normal(size=int(SECONDS * RATE))
    marks: list[Mark] = []
    now = rng.uniform(*PAUSE_SECONDS)
    for _ in range(rng.integers(*EVENTS_IN_ALL, endpoint=True)):
        name = str(rng.choice([*EVENTS]))
        own = samples[name][int(rng.integers(len(samples[name])))]
        hits, step = int(rng.integers(*HITS)), rng.uniform(*HIT_SECONDS)
        loudness = rng.uniform(*LOUDNESS)
        for hit in range(hits):
            _add(sound, loudness * own, now + hit * step)
        end = now + (hits - 1) * step + len(own) / RATE
        marks.append((now, end, name))
        pause = rng.uniform(*PAUSE_SECONDS)
        if rng.random() < STRAY:
            other = samples[""][int(rng.integers(len(samples[""])))]
            _add(sound, rng.uniform(*LOUDNESS) * other, end + pause / 2)
            pause += LONGEST_SAMPLE
        now = end + pause
    stream = io.BytesIO()
    soundfile.write(stream, np.clip(sound, -1, 1), RATE, format="WAV")
    inside = [(a, min(b, SECONDS), name) for a, b, name in marks if a < SECONDS]
    return Example(stream.getvalue(), inside)


def _add(sound: Samples, sample: Samples, seconds: float) -> None:
    """Add a sample to a sound."""
    start = int(seconds * RATE)
    part = sound[start : start + len(sample)]
    part += sample[: len(part)]
