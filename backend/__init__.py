"""Everything that touches the world: HTTP, Redis, time and Label Studio."""
