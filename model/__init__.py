"""The arithmetic of active learning: arrays in, arrays out, no outside world."""
