"""How long tests wait for what is sure to come."""

PATIENCE_SECONDS = 300.0
"""Much more than anything takes on a busy machine: only what is hopeless takes it."""
