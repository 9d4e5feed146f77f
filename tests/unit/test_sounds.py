"""Sounds as they come: formats, rates, lengths, and files that are none."""

import sys

import numpy as np
import pytest

from dubito.backend.data_kinds.audio import AUDIO
from dubito.backend.data_kinds.sound_files import open_sound
from dubito.model.errors import BadItemError
from dubito.model.features.sound import BANDS, describe_sound, frames_of
from tests.sounds import sound_file

FORMATS = ["WAV", "FLAC", "OGG", "MP3"]


def described(content: bytes) -> dict[str, float]:
    [description] = AUDIO.describe([open_sound(content)])
    return {**description.numbers}


def distance(one: dict[str, float], other: dict[str, float]) -> float:
    cells = [name for name in one if name.startswith("spectrogram")]
    return float(np.mean([abs(one[name] - other[name]) for name in cells]))


def loudest(frames: np.ndarray) -> int:
    """Return the band with the most power."""
    return int(frames[:, :BANDS].mean(axis=0).argmax())


@pytest.mark.parametrize("kind", FORMATS)
def test_a_sound_is_described_in_any_format(kind: str) -> None:
    recording = open_sound(sound_file(1_000, kind=kind, seconds=2))

    known = open_sound(sound_file(1_000, seconds=2))
    assert loudest(recording.frames) == loudest(known.frames)
    assert recording.seconds == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000])
def test_the_rate_of_the_samples_hardly_matters(rate: int) -> None:
    description = described(sound_file(rate=rate))

    assert description.keys() == described(sound_file()).keys()
    assert abs(description["spectrum 1"] - described(sound_file())["spectrum 1"]) < 0.1


def test_a_tone_is_told_by_its_pitch_more_than_by_its_loudness() -> None:
    known = described(sound_file(440))

    louder, higher = described(sound_file(440, level=0.6)), described(sound_file(880))

    assert distance(known, louder) < 0.5 * distance(known, higher)


def test_the_channels_are_mixed() -> None:
    one, two = described(sound_file()), described(sound_file(channels=2))

    assert one == pytest.approx(two, abs=1e-3)


def test_silence_before_and_after_does_not_move_the_spectrogram() -> None:
    rng = np.random.default_rng(0)
    clip = rng.normal(scale=0.1, size=16_000).astype(np.float32)
    quiet = np.zeros(8_000, dtype=np.float32)
    padded = np.concatenate([quiet, clip, quiet])

    one, other = (describe_sound(frames_of(s, 16_000), 1) for s in (clip, padded))

    assert distance(one, other) < 0.1


@pytest.mark.parametrize(
    "samples", [np.zeros(1), np.zeros(16_000), np.ones(100), np.full(9, 100.0)]
)
@pytest.mark.parametrize("rate", [1, 16_000, 384_000])
def test_any_samples_are_described(samples: np.ndarray, rate: int) -> None:
    description = describe_sound(frames_of(samples.astype(np.float32), rate), 1)

    assert np.isfinite(list(description.values())).all()


def test_a_long_recording_is_heard_in_parts() -> None:
    recording = open_sound(sound_file(kind="FLAC", seconds=1_000, rate=4_000, level=0))

    assert recording.seconds == 1_000
    assert 11_000 < len(recording.frames) <= 12_000


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"fLaC", b"ID3", b"\xff\xfe", b"<html>", bytes(100)]
)
def test_a_file_that_is_no_sound_is_refused(content: bytes) -> None:
    with pytest.raises(BadItemError, match=r"is broken|WAV, FLAC, OGG, MP3"):
        open_sound(content)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_breaks_off_is_read_so_far_or_refused(kind: str) -> None:
    whole = sound_file(kind=kind, seconds=2)

    try:
        description = described(whole[: len(whole) // 2])
    except BadItemError:
        return

    assert np.isfinite(list(description.values())).all()


def test_without_libsndfile_a_sound_is_set_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the package has no build of its own, the system must bring the library."""
    content = sound_file()
    monkeypatch.setitem(sys.modules, "soundfile", None)

    with pytest.raises(BadItemError, match="sounds need libsndfile"):
        open_sound(content)
