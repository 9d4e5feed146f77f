"""Choices inside choices: each class is a path of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from dubito.backend.controls.tags import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from xml.etree.ElementTree import Element

SEPARATOR = " / "
"""Parts the steps of a path in the name of its class."""

MOST_STEPS = 30
"""Nobody chooses so deep; the names of all paths would fill the memory."""


class Node(NamedTuple):
    """A <Choice>, with the steps that lead to it.

    Attributes
    ----------
    path : as annotations hold it
    texts : as people read it
    """

    path: tuple[str, ...]
    texts: tuple[str, ...]
    is_leaf: bool


def nodes(control: Element) -> Iterator[Node]:
    """Yield the choices of a control, each before those inside it.

    Those that are too deep are left out.
    """
    waiting: list[tuple[Element, tuple[str, ...], tuple[str, ...]]]
    waiting = [(control, (), ())]
    while waiting:
        tag, path, texts = waiting.pop()
        if tag.tag == "Choice":
            path = (*path, tag.get("alias") or tag.get("value") or "")
            texts = (*texts, _text(tag))
            yield Node(path, texts, is_leaf=tag.find(".//Choice") is None)
        if len(path) <= MOST_STEPS:
            waiting.extend((child, path, texts) for child in reversed(tag))


def _text(choice: Element) -> str:
    """Return what people read of a choice: its value, and the hint beside it."""
    text = choice.get("value") or choice.get("alias") or ""
    return f"{text}: {choice.get('hint')}" if choice.get("hint") else text


def is_too_deep(control: Element) -> bool:
    """Tell whether some choices have too many steps to be learnt."""
    return any(len(node.path) > MOST_STEPS for node in nodes(control))


def captions_of(control: Element, classes: Sequence[str]) -> tuple[str, ...]:
    """Return what people see, type or write for choices, beside their classes.

    These are values, aliases, hotkeys, texts and paths.
    """
    captions: list[str] = []
    waiting: list[tuple[Element, tuple[str, ...]]] = [(control, ())]
    while waiting:
        tag, path = waiting.pop()
        if tag.tag == "Choice":
            names = ("value", "alias", "hotkey", "html")
            captions += [tag.get(name, "") for name in names]
            path = (*path, tag.get("value") or tag.get("alias") or "")
            captions.append(joined(path))
        waiting.extend((child, path) for child in reversed(tag))
    known = {"", *classes}
    return tuple(dict.fromkeys(text for text in captions if text not in known))


def joined(path: Sequence[str]) -> str:
    """Return the name of the class that a path is."""
    return SEPARATOR.join(path)


def texts_of(control: Element, classes: Sequence[str]) -> tuple[str, ...]:
    """Return what people read of each class; nothing where that is its name."""
    texts: dict[str, str] = {}
    for node in nodes(control):
        texts.setdefault(joined(node.path), joined(node.texts))
    class_texts = tuple(texts[name] for name in classes)
    return () if class_texts == tuple(classes) else class_texts


def steps(name: str) -> list[str]:
    """Return the path of a class."""
    return name.split(SEPARATOR)


def step_with_separator(control: Element) -> str:
    """Return the first step that contains the separator, in quotes; empty if none."""
    names = (step for node in nodes(control) for step in node.path)
    return next((cut(name) for name in names if SEPARATOR in name), "")


def is_path(choice: object) -> TypeGuard[list[str]]:
    """Tell whether a choice of a result is a path of steps."""
    return (
        isinstance(choice, list)
        and bool(choice)
        and all(isinstance(step, str) for step in choice)
    )


def deepest(names: Iterable[str]) -> list[str]:
    """Return the classes that no other of these classes is inside of.

    The editor of a <Taxonomy> keeps a choice beside one inside it; both say the inner.
    """
    listed = list(names)
    return [
        name
        for name in listed
        if not any(other.startswith(f"{name}{SEPARATOR}") for other in listed)
    ]
