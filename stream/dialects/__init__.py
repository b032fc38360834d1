"""The apps that people already have, one module each, and the tables of them.

A dialect reads its app's messages, and says what is known of them; the rest is `normalise`'s.
"""

from stream.dialects import edge_impulse, hyperimu, sensor_logger, sensor_streamer
from stream.dialects.dialect import Dialect

SENSOR_LOGGER = sensor_logger.DIALECT
DIALECTS: tuple[Dialect, ...] = (  # each at POST /v1/<name>
    SENSOR_LOGGER,
    edge_impulse.DIALECT,
)
CONNECTING: tuple[Dialect, ...] = (  # each at a port of its own, by TCP
    hyperimu.DIALECT,
    sensor_streamer.DIALECT,
)
