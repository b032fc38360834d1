"""The apps that people already have, one module each, and the table of them.

A dialect reads its app's messages, and says what is known of them; the rest is `normalise`'s.
"""

from stream.dialects import sensor_logger
from stream.dialects.dialect import Dialect

SENSOR_LOGGER = sensor_logger.DIALECT
DIALECTS: tuple[Dialect, ...] = (SENSOR_LOGGER,)  # each at POST /v1/<name>
