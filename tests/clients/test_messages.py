"""What the server writes, a client reads."""

import msgspec
import pytest

from clients.errors import NonsenseError
from clients.messages import Other, decode
from stream import events
from stream.events import Message
from tests.clients.made import START, ended, prediction, started

ALL: list[Message] = [
    prediction(12),
    started(3),
    ended("4"),
    events.Ack(session="S", seq=7),
    events.Quality(
        device="p", session="S", state="poor", rate_hz=9.5, gaps=1, late=2, advice="Do this."
    ),
    events.Error(code="bad-frame", message="why", seq=9),
    events.Error(code="overloaded", message="why"),
    events.Status(device="p", status="online"),
    events.State(
        device="p",
        activity="Walking",
        since=START,
        confidence=0.9,
        quality="good",
        status="online",
    ),
    events.Missed(count=4),
]


@pytest.mark.parametrize("message", ALL, ids=lambda message: type(message).__name__)
def test_what_the_server_writes_is_read_back(message: Message) -> None:
    assert decode(msgspec.json.encode(message)) == message


def test_a_type_of_a_later_version_comes_through() -> None:
    assert decode('{"type": "later", "n": 1}') == Other("later", {"type": "later", "n": 1})


@pytest.mark.parametrize(
    "payload",
    ["", "not json", "[]", "{}", '{"type": 1}', '{"type": "ack", "session": "S"}', b"\xff\xfe"],
)
def test_anything_else_is_nonsense(payload: str | bytes) -> None:
    with pytest.raises(NonsenseError, match="the server sent no message"):
        decode(payload)
