"""A fake Label Studio, held to the real one by the contract tests."""

from tests.fake_label_studio.context import Options
from tests.fake_label_studio.faults import Fault, Faults
from tests.fake_label_studio.server import FakeServer

__all__ = ["FakeServer", "Fault", "Faults", "Options"]
