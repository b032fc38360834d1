"""Where the tests of faults get their chance from, and a broker with the settings that ship."""

from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from tests.faults.mosquitto import PASSWORD, ShippedBroker


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """All chance of one test. Its seed is shown where the test fails."""
    seed = request.config.getoption("--seed")
    print(f"to have it again: --seed {seed}")  # noqa: T201  pytest shows it
    return np.random.default_rng([seed, crc32(request.node.nodeid.encode())])


@pytest.fixture
def shipped_broker(
    mosquitto: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ShippedBroker]:
    """A Mosquitto on the settings in deploy/, that the test may kill; everybody has a password."""
    monkeypatch.setenv("GAITWAY_MQTT_PASSWORD", PASSWORD)
    (tmp_path / "broker").mkdir()
    broker = ShippedBroker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.kill()
