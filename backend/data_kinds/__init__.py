"""Kinds of data: how the item of a task is found, decoded, described and shown."""
