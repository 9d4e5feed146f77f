"""Learning stretches: parts of recordings and texts, each of some class."""
