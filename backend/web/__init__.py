"""HTTP in: parse, one call, reply."""
