"""From what a task shows to a row of numbers."""
