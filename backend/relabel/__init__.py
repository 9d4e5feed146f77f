"""Relabelling: a task that goes back to people, and its removed answers."""
