"""From task data to feature vectors."""
