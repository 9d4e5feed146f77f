"""Which Dubito this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def own_version() -> str:
    """Return our version; 0 where we run from a checkout that is not installed."""
    try:
        return version("dubito")
    except PackageNotFoundError:
        return "0"
