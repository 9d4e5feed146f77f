"""Whether everything is as it must be; what is not, why it matters, what cures it."""
