"""Sounds, as files."""

import io

import numpy as np
from soundfile import write


def sound_file(  # noqa: PLR0913 - each is a property of a file
    tone: float = 440,
    *,
    kind: str = "WAV",
    seconds: float = 0.5,
    rate: int = 16_000,
    channels: int = 1,
    level: float = 0.3,
    subtype: str | None = None,
) -> bytes:
    """Return a file of one tone."""
    time = np.arange(round(seconds * rate), dtype=np.float32) / rate
    wave = np.float32(level) * np.sin(np.float32(2 * np.pi * tone) * time)
    file = io.BytesIO()
    samples = np.repeat(wave[:, None], channels, axis=1)
    write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()
