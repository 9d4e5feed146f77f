"""What can go wrong in the arithmetic."""

from collections.abc import Sequence


class ModelError(Exception):
    """Root of all errors of this package."""


class BadItemError(ModelError):
    """The data of one task cannot be used; the message is the reason."""


class NoVotesError(ModelError):
    """A label was asked for where nobody has given one."""

    def __init__(self) -> None:
        super().__init__("there are no annotations to combine")


class OneClassError(ModelError):
    """A learner needs labels of at least two classes."""

    def __init__(self, *, classes: int) -> None:
        super().__init__(f"the labels are of {classes} class(es); 2 are needed")
        self.classes = classes


class TooFewLabelsError(ModelError):
    """There are too few labelled tasks to learn from some and judge by others."""


class UnknownNameError(ModelError):
    """A setting names something that does not exist."""

    def __init__(self, kind: str, *, name: str, known: Sequence[str]) -> None:
        super().__init__(f"{kind} {name!r} is unknown; choose from {', '.join(known)}")
        self.name = name
        self.known = tuple(known)


class UnknownLearnerError(UnknownNameError):
    """No learner is registered under this name."""

    def __init__(self, *, name: str, known: Sequence[str]) -> None:
        super().__init__("learner", name=name, known=known)


class UnknownMeasureError(UnknownNameError):
    """No measure of certainty has this name."""

    def __init__(self, *, name: str, known: Sequence[str]) -> None:
        super().__init__("measure", name=name, known=known)
