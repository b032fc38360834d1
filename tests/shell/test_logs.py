"""The log: a line a record, and no secrets in it."""

import asyncio
import logging
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from stream import logs

GAITWAY = str(Path(sys.executable).parent / "gaitway")
SECRET = "gw-01020304-" + "S" * 43
NASTY = ["a\nb", "a\r\nb", "\x1b[31mred", "a\x00b", "\x85", "\u2028", "\u202eevil", "\x7f"]


def written(message: str, error: Exception | None = None) -> list[str]:
    info = (type(error), error, None) if error is not None else None
    record = logging.LogRecord("n", logging.WARNING, "", 0, "%s", (message,), info)
    return re.split(r"[\n\r\x85\u2028\u2029\v\f]", logs.Formatter(logs.FORMAT).format(record))


@pytest.mark.parametrize("name", NASTY)
def test_a_record_is_one_line_whatever_is_in_it(name: str) -> None:
    (line,) = written(f"device {name!s}")
    assert line.isprintable()
    assert "WARNING n: device" in line


@pytest.mark.parametrize("name", NASTY)
def test_no_line_of_a_traceback_looks_like_a_record(name: str) -> None:
    first, *rest = written("failed", ValueError(f"x {name}\n2026-01-01 ERROR n: forged"))
    assert first.endswith("failed")
    assert rest
    assert all(line.startswith("  | ") for line in rest)


def test_words_of_any_language_stay() -> None:
    assert logs.escaped("Jürgens Händy 📱 日本") == "Jürgens Händy 📱 日本"


async def test_tokens_in_urls_are_not_logged() -> None:
    process = await asyncio.create_subprocess_exec(
        *(GAITWAY, "serve", "--port", "0", "--journal", "", "--verbose"), stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while not (found := re.search(rb"ws://(\S+?)/", await process.stdout.readline())):
            pass
        address = found[1].decode()
        async with httpx.AsyncClient() as client:
            await client.post(f"http://{address}/v1/sensor-logger?token={SECRET}", content="junk")
            await client.get(f"http://{address}/{SECRET}")
        async with connect(f"ws://{address}/v1/stream?device=a&token={SECRET}") as socket:
            with pytest.raises(ConnectionClosed):  # a token has no place there
                await socket.recv()
        async with connect(f"ws://{address}/v1/stream?device=a") as socket:
            await socket.recv()
            await socket.send(b"\xff", text=True)
            with pytest.raises(ConnectionClosed, match="1007"):
                await socket.recv()
        process.terminate()
        out, err = await process.communicate()
    assert b"SSSS" not in out + err
    assert b"Traceback" not in err
