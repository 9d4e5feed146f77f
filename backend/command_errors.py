"""Errors of commands, as people read them."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

import click
from redis.exceptions import RedisError

from dubito.backend.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")


def says_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn errors into one sentence; people get no traceback."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BackendError as error:
            raise click.ClickException(str(error)) from error
        except RedisError as error:
            from dubito.backend.state.error_hints import error_hint  # noqa: PLC0415

            message = f"the store cannot be used: {error_hint(error)} ({error})"
            raise click.ClickException(message) from error

    return wrapped
