"""The other side: its API, its label configs, its queue of tasks."""
