"""Whether a store can be one for Dubito at all: what no waiting would cure."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from dubito.backend.errors import UnfitStoreError
from dubito.backend.state import keys
from dubito.backend.state.error_hints import error_hint, is_lasting

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE_SECONDS = 2.0
POLICY = "noeviction"
POLICY_CURE = (
    "redis-cli CONFIG SET maxmemory-policy noeviction, and the same in its settings"
    " (a hosted store has it among its parameters)"
)
CLUSTER = (
    "the store is a Redis Cluster, whose nodes each hold a part of the data: set"
    " REDIS_URL to a Redis or Valkey that is not in cluster mode"
)
REPLICA = (
    "the store is a read-only copy (a replica): set REDIS_URL to the original, or make"
    " this one the original: redis-cli REPLICAOF NO ONE"
)
PROBES: tuple[tuple[str | int, ...], ...] = (
    ("INFO", "server"),
    ("TIME",),
    ("SCAN", 0, "COUNT", 1),
    ("GET", keys.PROBE),
    ("EXISTS", "rq:queues"),
    ("EVAL", "return redis.call('EXISTS', KEYS[1])", 1, keys.PROBE),
    ("SETRANGE", keys.PROBE, 0, ""),
    ("PUBLISH", "rq:pubsub:dubito", ""),
)
"""One command of each kind that Dubito and its queue use; they change nothing."""


def refuse_unfit(url: str) -> None:
    """Raise `UnfitStoreError` if the store at an address cannot be used as it is."""
    client = Redis.from_url(
        url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    )
    with closing(client), suppress(RedisError):  # one that is away is looked at later
        if reason := unfitness(client):
            raise UnfitStoreError(reason)


def unfitness(client: Redis) -> str:
    """Return why a store cannot be used as it is, and what helps; empty if it can be.

    Raises
    ------
    RedisError
        if it cannot be used now, but may be later
    """
    try:
        return fault_of(client.info()) or missing_permission(client)
    except RedisError as error:
        if is_lasting(error):
            return error_hint(error)
        raise


def fault_of(info: Mapping[str, object]) -> str:
    """Return what a store says of itself that makes it unfit; empty if nothing."""
    if is_cluster(info):
        return CLUSTER
    if info.get("role") in {"slave", "replica"}:
        return REPLICA
    policy = evicting_policy(info)
    if policy:
        return (
            f"the store deletes keys when it is full (maxmemory-policy {policy}),"
            f" labels among them: {POLICY_CURE}"
        )
    return ""


def is_cluster(info: Mapping[str, object]) -> bool:
    """Return whether a store is a node of a cluster."""
    return str(info.get("cluster_enabled", 0)) == "1"


def evicting_policy(info: Mapping[str, object]) -> str:
    """Return the policy by which a store throws keys away; empty if it keeps all.

    One that only takes keys that expire (volatile-…) would take leases, and the mark
    of a bulk write, under which Label Studio is written to.
    """
    policy = str(info.get("maxmemory_policy", POLICY))
    return "" if policy == POLICY else policy


def missing_permission(client: Redis) -> str:
    """Return which permission the user in REDIS_URL lacks; empty if none."""
    for probe in PROBES:
        try:
            client.execute_command(*probe)
        except NoPermissionError as error:
            return error_hint(error)
    return ""
