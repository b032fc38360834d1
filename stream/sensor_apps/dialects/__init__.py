"""The apps that people already have, one module each, and the tables of them.

A dialect reads its app's messages, and says what is known of them; the rest is `normalise`'s.
"""

from stream.sensor_apps.dialects import (
    edge_impulse,
    hyperimu,
    phyphox,
    sensor_logger,
    sensor_server,
    sensor_streamer,
)
from stream.sensor_apps.dialects.dialect import Dialect

SENSOR_LOGGER = sensor_logger.DIALECT
# Each is posted to /v1/<name>; connects to a port of its own, by TCP; or is a server itself.
POSTED: tuple[Dialect, ...] = (SENSOR_LOGGER, edge_impulse.DIALECT)
CONNECTING: tuple[Dialect, ...] = (hyperimu.DIALECT, sensor_streamer.DIALECT)
DIALLED: tuple[Dialect, ...] = (sensor_server.DIALECT, phyphox.DIALECT)
BY_NAME = {dialect.name: dialect for dialect in (*POSTED, *CONNECTING, *DIALLED)}
