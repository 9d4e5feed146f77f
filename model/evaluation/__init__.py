"""Honest accuracy, and what follows from held-out predictions."""
