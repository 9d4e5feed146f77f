"""Weights in a file of PyTorch, read without calling anything that the file names.

Such a file is a pickle, which may name any function to be called. Here a small stack
machine reads the few instructions that dictionaries and tensors need, and refuses all
others.
"""

from __future__ import annotations

import io
import pickletools
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
"""The first value of a file that `torch.save` wrote before version 1.6."""

DICTIONARY = "collections OrderedDict"
TENSOR = "torch._utils _rebuild_tensor_v2"
STORAGES: Mapping[str, np.dtype[Any]] = MappingProxyType(
    {
        "torch FloatStorage": np.dtype("<f4"),
        "torch LongStorage": np.dtype("<i8"),
    }
)
NAMES = frozenset({DICTIONARY, TENSOR, *STORAGES})
CONSTANTS: Mapping[str, object] = MappingProxyType(
    {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
)
VALUES = frozenset({"BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1"})
PUTS = frozenset({"BINPUT", "LONG_BINPUT"})
GETS = frozenset({"BINGET", "LONG_BINGET"})
TUPLES: Mapping[str, int] = MappingProxyType({"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3})
GATHERING = frozenset({"TUPLE", "APPENDS", "SETITEM", "SETITEMS"})


class WeightsError(ValueError):
    """A file holds something else than weights."""


class Name(NamedTuple):
    """A name of the file, one of `NAMES`; it is never looked up."""

    name: str


class Storage(NamedTuple):
    """The numbers of one or more tensors, which stand at the end of the file."""

    key: str
    dtype: np.dtype[Any]
    size: int


class Tensor(NamedTuple):
    """Where the numbers of a tensor stand, and its shape."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]

    def of(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Return the tensor, whose numbers are among these."""
        sizes = zip(self.shape, self.steps, strict=True)
        last = self.offset + sum((size - 1) * step for size, step in sizes)
        if min(self.offset, *self.shape, *self.steps, 0) < 0 or last >= numbers.size:
            message = f"a tensor of {self.shape} reaches beyond its storage"
            raise WeightsError(message)
        steps = [step * numbers.itemsize for step in self.steps]
        return as_strided(numbers[self.offset :], self.shape, steps).copy(order="C")


def read_weights(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of a state dictionary, by name.

    Raises
    ------
    WeightsError
        if the file is no such dictionary, or holds anything else
    """
    try:
        return _read(io.BytesIO(content))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        message = f"the weights cannot be read: {error}"
        raise WeightsError(message) from error


def _read(file: io.BytesIO) -> dict[str, NDArray[Any]]:
    magic, _, _, tensors, keys = (_value_in(file) for _ in range(5))
    if magic != MAGIC or not isinstance(tensors, dict):
        message = "the file is no dictionary of tensors"
        raise WeightsError(message)
    storages = {one.storage.key: one.storage for one in tensors.values()}
    numbers = {key: _numbers_in(file, storages[key]) for key in keys}
    return {name: one.of(numbers[one.storage.key]) for name, one in tensors.items()}


def _numbers_in(file: io.BytesIO, storage: Storage) -> NDArray[Any]:
    size = int.from_bytes(file.read(8), "little")
    if size != storage.size:
        message = f"a storage holds {size} numbers, not {storage.size}"
        raise WeightsError(message)
    return np.frombuffer(file.read(size * storage.dtype.itemsize), storage.dtype)


def _value_in(file: io.BytesIO) -> Any:  # noqa: ANN401 - whatever the file holds
    machine = Machine()
    for instruction, argument, _ in pickletools.genops(file):
        machine.run(instruction.name, argument)
    return machine.stack.pop()


@dataclass(slots=True)
class Machine:
    """The stack and the memory of a pickle, for the instructions that are needed."""

    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memory: dict[int, Any] = field(default_factory=dict)

    def run(self, name: str, argument: Any) -> None:  # noqa: ANN401
        """Run one instruction; raise `WeightsError` if it is not allowed."""
        if name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in VALUES:
            self.stack.append(argument)
        elif name in PUTS:
            self.memory[argument] = self.stack[-1]
        elif name in GETS:
            self.stack.append(self.memory[argument])
        elif name in TUPLES:
            self.stack.append(tuple(self._popped(len(self.stack) - TUPLES[name])))
        elif name in GATHERING:
            self._gather(name)
        else:
            self._make(name, argument)

    def _gather(self, name: str) -> None:
        """Put values into a tuple, a list or a dictionary."""
        values = self._popped(len(self.stack) - 2 if name == "SETITEM" else None)
        match name:
            case "TUPLE":
                self.stack.append(tuple(values))
            case "APPENDS":
                self.stack[-1].extend(values)
            case _:
                pairs = zip(values[::2], values[1::2], strict=True)
                self.stack[-1].update(pairs)

    def _make(self, name: str, argument: Any) -> None:  # noqa: ANN401
        match name:
            case "PROTO" | "STOP":
                pass
            case "MARK":
                self.marks.append(len(self.stack))
            case "EMPTY_DICT":
                self.stack.append({})
            case "EMPTY_LIST":
                self.stack.append([])
            case "GLOBAL" if argument in NAMES:
                self.stack.append(Name(argument))
            case "BINPERSID":
                self.stack.append(_storage(self.stack.pop()))
            case "REDUCE":
                arguments = self.stack.pop()
                self.stack.append(_new_object(self.stack.pop(), arguments))
            case "BUILD":  # attributes of the dictionary, which hold no weights
                self.stack.pop()
            case _:
                message = f"the instruction {name} {argument or ''} is not allowed"
                raise WeightsError(message)

    def _popped(self, start: int | None = None) -> list[Any]:
        """Take the values from a place on, by default from the last mark."""
        place = self.marks.pop() if start is None else start
        values = self.stack[place:]
        del self.stack[place:]
        return values


def _storage(persistent_id: tuple[Any, ...]) -> Storage:
    _, kind, key, _, size, *_ = persistent_id
    return Storage(key, STORAGES[kind.name], size)


def _new_object(name: Name, arguments: tuple[Any, ...]) -> object:
    if name.name == DICTIONARY:
        return {}
    if name.name != TENSOR:
        message = f"{name.name} is not called here"
        raise WeightsError(message)
    storage, offset, shape, steps, *_ = arguments
    return Tensor(storage, offset, shape, steps)
