"""What tests of single parts share: fixtures import what they need, as in `tests`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from redis import Redis

    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState
    from tests.store import Opener


@pytest.fixture
def http(services: Services) -> FlaskClient:
    """Speak to the application without a server."""
    from dubito.backend.web.app import create_app

    return create_app(services).test_client()


@pytest.fixture
def state(services: Services) -> ProjectState:
    """Look after a project whose settings are known."""
    from tests.builders import KEY, project

    services.projects.add(KEY)
    project_state = services.projects.at(KEY)
    project_state.note(project=project())
    return project_state


@pytest.fixture
def opened(store_url: str, redis: Redis) -> Iterator[Opener]:
    """Open services with some settings, looking after one project."""
    from tests.builders import KEY, project
    from tests.store import services_over

    with ExitStack() as stack:

        def over(**chosen: object) -> Services:
            services = stack.enter_context(services_over(store_url, **chosen))
            services.projects.add(KEY)
            services.projects.at(KEY).note(project=project())
            return services

        assert not redis.dbsize()
        yield over
