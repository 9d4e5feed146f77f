"""How several ways to learn are weighed by the labels they foretell."""

TREES = 80
TREES_PER_FOLD = 12
FOLDS = 5

MOST_WEIGHED = 200
"""The ways to learn are compared on so many labels at most: it keeps a round short."""

TRUST = 0.2
"""How much of the evidence of a label counts: those chosen by doubt are odd ones."""

LEAST = 0.01
"""No way to learn is ruled out by a label it was wrong about."""

VIEW = 0.25
"""The weight of a view beforehand, against 1 of what is usual for the kind: a view is
to be borne out by labels before it is heard much."""

NEGLIGIBLE = 0.01
"""A way of less weight is not heard at all: it saves its time."""

AT_A_TIME = 10_000
"""Rows predicted at once, for the sake of memory."""
