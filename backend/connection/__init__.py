"""The connection of a project: connect, receive events, reconcile, disconnect."""
