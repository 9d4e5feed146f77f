"""The demo: a sample project in a local Label Studio."""
