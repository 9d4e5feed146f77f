"""Tasks that are sounds: frames of a spectrum, and what they say together."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, rfft
from scipy.sparse import csr_matrix

WINDOW_SECONDS, STEP_SECONDS = 0.032, 0.01
BANDS = 40
LOWEST_HERTZ, HIGHEST_HERTZ = 20.0, 8_000.0
CEPSTRA = 20
CELLS = 16
"""Along each side of the small spectrogram."""

QUIET = 1e-10
"""Power that counts as none: 100 decibels below full scale."""

DYNAMIC_RANGE = 4.0
"""Powers of ten below the loudest frame; what is quieter is before or after."""

MOST = 0.85
"""Share of the power that lies below the rolloff."""

AT_A_TIME = 2_000_000
"""Samples of frames whose spectra are computed together: they need 16 bytes each."""

SCALARS = ("loudness", "centroid", "spread", "rolloff", "flatness", "crossings")
COLUMNS = BANDS + len(SCALARS)
"""Of a frame: the log power of each band, then `SCALARS`."""

Frames = NDArray[np.float32]


def frames_of(samples: NDArray[np.float32], rate: int) -> Frames:
    """Return the (n, COLUMNS) frames of a sound, one every 10 ms.

    Parameters
    ----------
    samples : (n_samples,) in [-1, 1], at least one
    rate : samples per second, of any size
    """
    size = max(16, round(rate * WINDOW_SECONDS))
    step = max(1, round(rate * STEP_SECONDS))
    if samples.size < size:
        samples = np.pad(samples, (0, size - samples.size))
    windows = np.lib.stride_tricks.sliding_window_view(samples, size)[::step]
    few = max(1, AT_A_TIME // size)
    blocks = [windows[at : at + few] for at in range(0, len(windows), few)]
    return np.concatenate([_spectra(block, rate) for block in blocks])


def _spectra(windows: NDArray[np.float32], rate: int) -> Frames:
    size = windows.shape[1]
    shape = np.hanning(size).astype(np.float32)
    power = np.square(np.abs(rfft(windows * shape))) / np.square(shape.sum())
    hertz = np.arange(power.shape[1]) * (rate / size)
    bands = np.log10((_bank(rate, size) @ power.T).T + QUIET)
    signs = np.signbit(windows)
    crossings = (signs[:, 1:] != signs[:, :-1]).mean(axis=1) * rate
    heard = power[:, hertz <= HIGHEST_HERTZ].astype(np.float64)
    scalars = _scalars(heard, hertz[: heard.shape[1]])
    columns = (bands, *scalars, np.log10(1 + crossings))
    return np.column_stack(columns).astype(np.float32)


def _scalars(
    power: NDArray[np.float64], hertz: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return all scalars but the last of (n, d) power at these frequencies."""
    total = power.sum(axis=1) + QUIET
    share = power / total[:, None]
    centroid = (share * hertz).sum(axis=1)
    square = (share * np.square(hertz)).sum(axis=1)
    spread = np.sqrt(np.maximum(square - np.square(centroid), 0))
    below = np.cumsum(share, axis=1) < MOST * share.sum(axis=1)[:, None]
    rolloff = hertz[below.sum(axis=1)]
    flatness = np.log10(power + QUIET).mean(axis=1) - np.log10(total / hertz.size)
    scaled = (np.log10(1 + one) for one in (centroid, spread, rolloff))
    return [np.log10(total), *scaled, flatness]


@lru_cache(maxsize=16)
def _bank(rate: int, size: int) -> csr_matrix:
    """Return the (BANDS, bins) triangles of a mel scale; none reaches beyond 8 kHz.

    Sparse sums are quick, and do not depend on how many cores a worker has.
    """
    hertz = np.arange(size // 2 + 1) * (rate / size)
    lowest, highest = (_mel(end) for end in (LOWEST_HERTZ, HIGHEST_HERTZ))
    corners = 700 * np.expm1(np.linspace(lowest, highest, BANDS + 2) / 1127)
    low, middle, high = corners[:-2], corners[1:-1], corners[2:]
    rising = (hertz[:, None] - low) / (middle - low)
    falling = (high - hertz[:, None]) / (high - middle)
    share = np.clip(np.minimum(rising, falling), 0, 1)
    return csr_matrix(share.T.astype(np.float32))


def _mel(hertz: float) -> float:
    return 1127 * math.log1p(hertz / 700)


def describe_sound(frames: Frames, seconds: float) -> dict[str, float]:
    """Sum up a sound: its timbre, its bands, how it changes, and a small spectrogram.

    Parameters
    ----------
    frames : (n, COLUMNS) as `frames_of` returns them
    seconds : how long the sound is; the frames may cover parts of it
    """
    heard = _heard(frames.astype(np.float64))
    bands, scalars = heard[:, :BANDS], heard[:, BANDS:]
    cepstra = dct(bands, axis=1, norm="ortho")[:, :CEPSTRA]
    blocks = {
        "cepstrum": _moments(cepstra),
        "cepstrum change": _changes(cepstra),
        "band": np.concatenate([_moments(bands), bands.max(axis=0)]),
        "spectrum": np.concatenate(
            [_moments(scalars), *np.quantile(scalars, [0.1, 0.9], axis=0)]
        ),
        "spectrogram": _spectrogram(bands),
        "length": np.log([seconds + 0.01, len(heard)]),
    }
    return {
        f"{name} {place}": value
        for name, block in blocks.items()
        for place, value in enumerate(block.ravel().tolist())
    }


def _heard(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the frames without the silence before and after."""
    loudness = frames[:, BANDS]
    loud = np.flatnonzero(loudness > loudness.max() - DYNAMIC_RANGE)
    return frames[loud[0] : loud[-1] + 1]


def _moments(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([columns.mean(axis=0), columns.std(axis=0)])


def _changes(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much each column changes from frame to frame."""
    if len(columns) < 2:
        return np.zeros(columns.shape[1])
    return np.asarray(np.diff(columns, axis=0).std(axis=0))


def _spectrogram(bands: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (CELLS, CELLS) means of times and bands, from the mean of the sound."""
    return np.asarray(_means(_means(bands, CELLS).T, CELLS).T - bands.mean())


def _means(rows: NDArray[np.float64], parts: int) -> NDArray[np.float64]:
    """Return the (parts, d) means of equal parts of (n, d) rows, which may be fewer."""
    edges = np.linspace(0, len(rows), parts + 1)
    starts = np.minimum(np.floor(edges[:-1]), len(rows) - 1).astype(int)
    ends = np.maximum(np.ceil(edges[1:]).astype(int), starts + 1)
    return np.array([rows[a:b].mean(axis=0) for a, b in zip(starts, ends, strict=True)])
