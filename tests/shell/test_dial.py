"""What answers a call may be anything: only its own device is the worse for it."""

import asyncio

import pytest

from stream.config import Config
from tests import sensor_server
from tests.dialling import Heard, dialling, metric, timed, until
from tests.sensor_logger import walk

OK = b"HTTP/1.1 200 OK\r\nContent-Length: "
ANSWERS = [
    b"",
    b"\x00\xff\xfe garbage\r\n\r\n",
    b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: %s/elsewhere\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    OK + b"100\r\n\r\ncut",
    OK + b"x\r\n\r\n",
    b"A" * 200_000,
]


@pytest.mark.parametrize("scheme", ["ws", "http"])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_whatever_answers_disturbs_nobody(config: Config, scheme: str, answer: bytes) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        here = f"{scheme}://127.0.0.1:{port}".encode()
        writer.write(answer % here if b"%s" in answer else answer)
        writer.close()

    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0) as server,
        sensor_server.phone() as good,
    ):
        port = server.sockets[0].getsockname()[1]
        urls = {"bad": f"{scheme}://127.0.0.1:{port}", "good": good.url}
        async with dialling(config, **urls) as running:
            heard = Heard(running)
            await until(lambda: metric(running, 'gaitway_dial_failures_total{device="bad"}') >= 1)
            await good.called.get()
            await good.feel(timed(walk(13, 50)))
            await heard.predictions("good", 2)
            assert metric(running, 'gaitway_dial_failures_total{device="good"}') == 0
    assert not any(b"elsewhere" in line for line in asked)


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_why_a_phone_is_not_reached_is_never_empty(
    config: Config, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    async with dialling(config, off=f"{scheme}://127.0.0.1:9") as running:
        await until(lambda: metric(running, "gaitway_dial_failures_total") >= 1)
    (told,) = [text for text in caplog.messages if text.startswith("off: ")]
    assert "cannot be reached: " in told
    assert "reached: ." not in told


async def test_who_dials_nobody_runs_no_dialler(config: Config) -> None:
    async with dialling(config):
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("dial")]
