"""Sounds as they come: formats, rates, lengths, and files that are none."""

import sys

import numpy as np
import pytest

from dubito.backend.data_kinds.audio import AUDIO
from dubito.backend.data_kinds.sound_files import (
    WholeSound,
    open_sound,
    open_whole_sound,
)
from dubito.model.errors import BadItemError
from dubito.model.features.sound import BANDS, describe_sound, frames_of
from tests.sounds import sound_file
from tests.videos import clip, sound_track, sound_with_gap, video_with_sound

FORMATS = ["WAV", "FLAC", "OGG", "MP3"]
TRACKS = [
    ("ipod", "aac"),
    ("ipod", "alac"),
    ("adts", "aac"),
    ("mp4", "libmp3lame"),
    ("webm", "libopus"),
    ("matroska", "pcm_s16le"),
]


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


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "codec"), TRACKS)
def test_a_sound_track_is_described_like_a_sound(kind: str, codec: str) -> None:
    track = sound_track(1_000, kind=kind, codec=codec, seconds=2, rate=48_000)

    recording, whole = open_sound(track), open_whole_sound(track)

    known = open_sound(sound_file(1_000, seconds=2, rate=48_000))
    assert loudest(recording.frames) == loudest(whole.frames) == loudest(known.frames)
    level, known_level = (one.frames[50, BANDS] for one in (recording, known))
    assert level == pytest.approx(known_level, abs=0.05)
    assert recording.seconds == pytest.approx(2, abs=0.1)
    assert whole.seconds == pytest.approx(2, abs=0.1)
    assert whole.times[-1] == pytest.approx(2, abs=0.1)


def test_the_sound_of_a_video_is_heard() -> None:
    assert open_sound(video_with_sound()).seconds == pytest.approx(1, abs=0.1)


def loud_seconds(sound: WholeSound) -> tuple[float, float, float]:
    """Return when the sound first becomes loud, and the ends of its longest silence."""
    times = sound.times[sound.frames[:, BANDS] > -5]
    longest = np.diff(times).argmax()
    return float(times[0]), float(times[longest]), float(times[longest + 1])


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        ("ipod", "aac"),
        ("matroska", "pcm_s16le"),
        ("matroska", "aac"),
        ("webm", "libopus"),
    ],
)
def test_a_gap_in_a_sound_track_keeps_its_length(kind: str, codec: str) -> None:
    content = sound_with_gap(kind, codec, gap=3)

    whole = open_whole_sound(content)

    assert whole.seconds == pytest.approx(5, abs=0.2)
    assert loud_seconds(whole) == pytest.approx((0, 1, 4), abs=0.2)
    assert open_sound(content).seconds == pytest.approx(5, abs=0.2)


def test_a_gap_of_more_than_an_hour_is_refused_before_it_is_filled() -> None:
    content = sound_with_gap("matroska", "pcm_s16le", gap=1e6)

    with pytest.raises(BadItemError, match="the sound is 16667 minutes long"):
        open_whole_sound(content)
    assert open_sound(content).frames.size


def test_a_sound_that_begins_later_than_the_pictures_is_heard_later() -> None:
    whole = open_whole_sound(video_with_sound(late=2))

    assert whole.seconds == pytest.approx(3, abs=0.1)
    assert loud_seconds(whole)[0] == pytest.approx(2, abs=0.1)
    assert loud_seconds(open_whole_sound(video_with_sound()))[0] < 0.1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (clip(), "it has no sound"),
        (sound_track()[:400], "it is broken"),
        (b"\xff\xf1" + bytes(100), "cannot be read|no samples"),
        (sound_track(kind="avi", codec="adpcm_ms"), "it is coded as adpcm_ms"),
    ],
)
def test_a_file_without_a_sound_track_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(BadItemError, match=why):
        open_sound(content)


def test_a_long_sound_track_is_heard_in_evenly_spread_parts() -> None:
    """The second half of the sound is silent, and so are six of the twelve parts."""
    content = sound_track(codec="alac", seconds=500, silence=500, rate=2_000)

    recording = open_sound(content)

    assert 11_000 < len(recording.frames) <= 12_000
    loud = recording.frames[:, BANDS] > -5
    assert recording.seconds == pytest.approx(1_000, abs=0.2)
    assert loud.mean() == pytest.approx(0.5, abs=0.02)


def test_without_its_library_a_sound_track_is_set_aside_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = sound_track()
    monkeypatch.setitem(sys.modules, "av", None)

    with pytest.raises(
        BadItemError, match=r'need the extra "video" \(pip install av\)$'
    ):
        open_sound(content)


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
