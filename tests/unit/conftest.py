"""What tests of single parts share."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from flask.testing import FlaskClient
from redis import Redis

from dubito.backend.services import Services
from dubito.backend.state.project import ProjectState
from dubito.backend.web.app import create_app
from tests.builders import KEY, project
from tests.store import Opener, services_over


@pytest.fixture
def http(services: Services) -> FlaskClient:
    """Speak to the application without a server."""
    return create_app(services).test_client()


@pytest.fixture
def state(services: Services) -> ProjectState:
    """Look after a project whose settings are known."""
    services.projects.add(KEY)
    project_state = services.projects.at(KEY)
    project_state.note(project=project())
    return project_state


@pytest.fixture
def opened(store_url: str, redis: Redis) -> Iterator[Opener]:
    """Open services with some settings, looking after one project."""
    with ExitStack() as stack:

        def over(**chosen: object) -> Services:
            services = stack.enter_context(services_over(store_url, **chosen))
            services.projects.add(KEY)
            services.projects.at(KEY).note(project=project())
            return services

        assert not redis.dbsize()
        yield over
