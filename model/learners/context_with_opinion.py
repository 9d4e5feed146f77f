"""All tasks of a project, beside what the names of the classes say of each."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dubito.model.learners.unlabelled_context import Axes, Graph, UnlabelledContext


@dataclass(eq=False)
class ContextWithOpinion(UnlabelledContext):
    """The same tasks with an opinion in their last columns: nothing is found anew.

    Attributes
    ----------
    bare : the tasks without the opinion
    """

    bare: UnlabelledContext = field(kw_only=True)

    @cached_property
    def axes(self) -> Axes | None:
        """Return the main axes, which an opinion has no part in."""
        return self.bare.axes

    @cached_property
    def graph(self) -> Graph | None:
        """Return the graph of neighbours, which an opinion has no part in."""
        return self.bare.graph

    @cached_property
    def others(self) -> tuple[UnlabelledContext, ...]:
        """Return what each view that describes the tasks tells of all of them."""
        return self.bare.others

    @cached_property
    def places(self) -> NDArray[np.float32]:
        """Return the (n, r) places of all tasks."""
        return self.bare.places
