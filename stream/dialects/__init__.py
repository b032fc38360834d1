"""The apps that people already have, one module each, and the table of them.

A dialect reads its app's messages, and says what is known of them; the rest is `normalise`'s.
"""

from stream.dialects import phyphox, sensor_logger, sensor_server
from stream.dialects.dialect import Dialect

SENSOR_LOGGER = sensor_logger.DIALECT
DIALECTS: tuple[Dialect, ...] = (SENSOR_LOGGER,)  # each at POST /v1/<name>
DIALLED: tuple[Dialect, ...] = (sensor_server.DIALECT, phyphox.DIALECT)  # the phone is the server
