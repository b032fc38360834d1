"""What names a device or a session can be a part of a topic, a path, an id and a line."""

import contextlib
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from stream.errors import ParameterError
from stream.sensor_apps.dialects.dialect import valid_id
from stream.wire import check_id


def harmless(name: str) -> bool:
    plain = name.isascii() and name.isprintable() and not set(name) & set(" /\\+#%?&;$\"'<>:")
    return plain and 1 <= len(name) <= 64 and PurePosixPath(name).name == name and name[0] != "."


@given(st.text())
def test_what_is_allowed_is_harmless(name: str) -> None:
    with contextlib.suppress(ParameterError):
        assert harmless(check_id("device", name))


@given(st.text(min_size=1))
def test_whatever_an_app_calls_a_phone_becomes_harmless(name: str) -> None:
    assert harmless(check_id("device", valid_id(name)))
