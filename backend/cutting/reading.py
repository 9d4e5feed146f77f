"""The files of recordings, read as tables a block at a time."""

from __future__ import annotations

import zlib
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from dubito.backend.cutting.csv_blocks import BLOCK_ROWS, csv_blocks
from dubito.backend.cutting.endings import ARRAYS, PARQUETS, SOUNDS, TEXTS
from dubito.backend.errors import CutError
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

    Blocks = Iterator[tuple[pd.DataFrame, float]]


class Block(NamedTuple):
    """Rows of a file.

    Attributes
    ----------
    share : of the file that is read by now, in [0, 1]
    """

    frame: pd.DataFrame
    share: float


def read_blocks(
    path: Path, names: Sequence[str] = (), texts: Sequence[str] = ()
) -> Iterator[Block]:
    """Yield the rows of a file.

    Parameters
    ----------
    names : of the columns to read; all if none are named
    texts : of the columns that are texts where the file does not say: 007 is not 7

    Raises
    ------
    CutError
        if the file cannot be read
    """
    try:
        for frame, share in _reader(path, texts)(path, names):
            yield Block(frame, share)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise CutError(message) from error
    except (BadItemError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        message = f"{path} cannot be read: {' '.join(str(error).split())}"
        raise CutError(message) from error


def own_rate(path: Path) -> float | None:
    """Return the samples per second that a file of sound declares."""
    if path.suffix.lower() not in SOUNDS:
        return None
    library = _library("soundfile", "sounds need libsndfile")
    try:
        return float(library.info(str(path)).samplerate)
    except library.SoundFileError as error:
        message = f"{path} cannot be read: {error}"
        raise CutError(message) from error


def _reader(
    path: Path, texts: Sequence[str]
) -> Callable[[Path, Sequence[str]], Blocks]:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    ending = suffixes[-1] if suffixes else ""
    if ending not in READERS:
        message = (
            f"{path} is no recording that can be cut: give files that end with"
            f" {', '.join(READERS)} (text also with .gz)"
        )
        raise CutError(message)
    if READERS[ending] is csv_blocks:
        return partial(csv_blocks, texts=texts)
    return READERS[ending]


def _parquet_blocks(path: Path, names: Sequence[str]) -> Blocks:
    parquet = _library("pyarrow.parquet", 'install dubito with the extra "parquet"')
    with parquet.ParquetFile(path) as file:
        total, rows = max(1, file.metadata.num_rows), 0
        batches = file.iter_batches(BLOCK_ROWS, columns=list(names) or None)
        for batch in batches:
            rows += batch.num_rows
            yield batch.to_pandas(ignore_metadata=True), rows / total


def _array_blocks(path: Path, names: Sequence[str]) -> Blocks:
    """Read arrays: of .npy without loading the file, of .npz by their names."""
    is_single = path.suffix.lower() == ".npy"
    content = np.load(path, mmap_mode="r" if is_single else None, allow_pickle=False)
    columns: dict[str, NDArray[Any]] = {}
    for name in ("channel",) if is_single else content.files:
        columns |= _array_columns(name, content if is_single else content[name])
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        message = f"its arrays differ in length: {sorted(lengths)}"
        raise BadItemError(message)
    [length] = lengths
    selection = {name: columns[name] for name in names or columns}
    for low in range(0, length, BLOCK_ROWS):
        high = min(low + BLOCK_ROWS, length)
        parts = {name: _native(column[low:high]) for name, column in selection.items()}
        yield pd.DataFrame(parts), high / length


def _native(part: NDArray[Any]) -> NDArray[Any]:
    """Return a part of a file in memory, its bytes in the order of this machine."""
    return np.array(part, dtype=part.dtype.newbyteorder("="))


def _array_columns(name: str, array: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the columns of an array: by its fields, or numbered from 1."""
    if array.dtype.names:
        return {field: array[field] for field in array.dtype.names}
    if array.ndim == 1:
        return {name: array}
    if array.ndim == 2 and array.shape[1] < 1_000:
        columns = enumerate(np.moveaxis(array, 1, 0), start=1)
        return {f"{name}_{place}": column for place, column in columns}
    message = (
        f"the array {name!r} has the shape {array.shape}: give one row per sample and"
        " one column per channel"
    )
    raise BadItemError(message)


def _sound_blocks(path: Path, names: Sequence[str]) -> Blocks:
    library = _library("soundfile", "sounds need libsndfile")
    try:
        with library.SoundFile(path) as file:
            total, rows = max(1, file.frames), 0
            labels = [f"channel_{place}" for place in range(1, file.channels + 1)]
            for block in file.blocks(BLOCK_ROWS, dtype="float64", always_2d=True):
                rows += len(block)
                frame = pd.DataFrame(block, columns=labels)
                yield frame[list(names) or labels], rows / total
    except library.SoundFileError as error:
        raise BadItemError(str(error)) from error


def _library(name: str, hint: str) -> ModuleType:
    """Return a package that few recordings need."""
    try:
        return import_module(name)
    except (ImportError, OSError) as error:
        message = f"{name} cannot be loaded: {hint} ({error})"
        raise CutError(message) from error


READERS: Mapping[str, Callable[[Path, Sequence[str]], Blocks]] = MappingProxyType(
    {
        **dict.fromkeys(TEXTS, csv_blocks),
        **dict.fromkeys(PARQUETS, _parquet_blocks),
        **dict.fromkeys(ARRAYS, _array_blocks),
        **dict.fromkeys(SOUNDS, _sound_blocks),
    }
)
"""What reads a file, by its ending."""
