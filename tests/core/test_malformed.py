"""What is wrong with JSON, in our words: no name of a type, and no path, of msgspec's is left."""

from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from stream.malformed import MALFORMED, explain


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    word: str = ""


class Message(msgspec.Struct):
    seq: int
    xyz: list[tuple[float, float, float]] = []
    port: Annotated[int, Meta(ge=1, le=9)] = 1
    rate: Annotated[float, Meta(gt=0)] = 1
    on: bool | None = None
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"junk", "it is no JSON, near byte 0"),
        (b'{"seq": 1} x', "it is no JSON, near byte 12"),
        (b'{"seq": 1', "it is no JSON: it ends in the middle"),
        (b"", "it is no JSON: it ends in the middle"),
        (b'{"seq": 1, "inner": {"word": "\xff"}}', "it is no UTF-8"),
        ("\ud800", "it is no UTF-8"),
        (b'{"seq": 1, "more": ' + b"[" * 100_000, "its brackets are nested too deep"),
        (b"[]", "an object is needed, not a list"),
        (b"{}", "seq is missing"),
        (b'{"seq": "1"}', "seq: a whole number is needed, not text"),
        (b'{"seq": 1.5}', "seq: a whole number is needed, not a fraction"),
        (b'{"seq": 1e400}', "seq: number out of range"),
        (b'{"seq": 1, "xyz": 3}', "xyz: a list is needed, not a number"),
        (b'{"seq": 1, "xyz": [[1, 2]]}', "xyz[0]: a list of length 3 is needed"),
        (b'{"seq": 1, "xyz": [[1, 2, null]]}', "xyz[0][2]: a number is needed, not null"),
        (b'{"seq": 1, "port": 0}', "port: a whole number of at least 1 is needed"),
        (b'{"seq": 1, "port": 10}', "port: a whole number of at most 9 is needed"),
        (b'{"seq": 1, "rate": 0}', "rate: a number above 0 is needed"),
        (b'{"seq": 1, "on": 1}', "on: true or false or null is needed, not a number"),
        (b'{"seq": 1, "inner": {"word": 1}}', "inner.word: text is needed, not a number"),
        (b'{"seq": 1, "inner": {"wort": ""}}', "inner: wort is not known"),
    ],
)
def test_what_is_wrong_is_said_plainly(text: str | bytes, words: str) -> None:
    with pytest.raises(MALFORMED) as error:
        msgspec.json.decode(text, type=Message)
    assert str(explain(error.value)) == words


def test_the_whole_may_have_a_name() -> None:
    with pytest.raises(MALFORMED) as error:
        msgspec.json.decode(b"[1]", type=list[str])
    assert str(explain(error.value, "values")) == "values[0]: text is needed, not a number"
