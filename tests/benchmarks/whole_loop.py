"""A real Label Studio, a Dubito beside it, and services over the same store."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType

import click

from dubito.backend.services import Services
from tests.benchmarks.postgres import postgres_running
from tests.dubito_process import Dubito, dubito_running
from tests.label_studio import LabelStudio
from tests.real_label_studio import real_label_studio_running
from tests.store import services_over, store_running

DATABASES = click.Choice(("sqlite", "postgres"))
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Loop:
    """What a benchmark measures, all over one store."""

    label_studio: LabelStudio
    dubito: Dubito
    services: Services


@contextmanager
def loop_running(
    environment: Mapping[str, str] = NOTHING,
    *,
    database: str = "sqlite",
    annotators: int = 1,
    **settings: str,
) -> Iterator[Loop]:
    """Run it for the block.

    Parameters
    ----------
    environment : of Label Studio
    database : of Label Studio
    settings : of Dubito
    """
    is_postgres = database == "postgres"
    with (
        postgres_running() if is_postgres else nullcontext(NOTHING) as connection,
        real_label_studio_running(
            environment={**environment, **connection},
            annotators=annotators,
        ) as label_studio,
        store_running() as store,
        dubito_running(
            label_studio.url, label_studio.token, REDIS_URL=store, **settings
        ) as dubito,
        services_over(
            store,
            label_studio_url=label_studio.url,
            label_studio_key=label_studio.token,
        ) as services,
    ):
        yield Loop(label_studio, dubito, services)
