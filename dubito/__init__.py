"""Active learning for Label Studio."""
