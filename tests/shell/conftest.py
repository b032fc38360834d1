"""What several tests of the shell need."""

from collections.abc import AsyncIterator

import pytest

from stream.config import Config
from stream.service import Service
from tests.shell.test_mqtt import joining, with_broker


@pytest.fixture
async def joined(config: Config, broker: str) -> AsyncIterator[Service]:
    """A service that has joined a broker."""
    async with joining(with_broker(config, broker)) as running:
        yield running
