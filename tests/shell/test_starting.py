"""A start that fails late leaves nothing behind: no open port, and no token that nobody saw."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream import service, serving
from stream.access import exposure, token_file
from stream.config import Config, Server, Tcp
from stream.doors import ports, tcp
from stream.errors import ConfigError
from tests.conftest import free_port

LATE = {  # what is opened one after another
    "the door for trust": (ports, "listen_beside"),
    "an app's port": (tcp.Doors, "open"),
    "the first token": (token_file, "add"),
}


@pytest.fixture
def for_phones(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Settings with which a first token is made, and everything has a port."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(exposure, "may_open_tcp", lambda *_, **__: None)
    return msgspec.structs.replace(
        config,
        server=Server(host="0.0.0.0", port=free_port(), https=True),  # noqa: S104
        tcp=Tcp(hyperimu=free_port()),
    )


def token_made(config: Config) -> bool:
    return Path(config.auth.tokens).exists()


@pytest.mark.parametrize("what", LATE)
async def test_what_was_opened_is_closed_again(
    for_phones: Config, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def fails(*_: object, **__: object) -> Any:
        raise ConfigError("it fails")

    with monkeypatch.context() as patch:
        patch.setattr(*LATE[what], fails)
        with pytest.raises(ConfigError, match="it fails"):
            async with service.running(for_phones):
                pass
    assert not token_made(for_phones)
    for port in (for_phones.server.port, for_phones.server.port + 1, for_phones.tcp.hyperimu):
        assert isinstance(port, int)
        socket.create_server(("0.0.0.0", port)).close()  # noqa: S104  as above
    assert asyncio.all_tasks() == {asyncio.current_task()}
    async with service.running(for_phones) as running:
        assert running.first_token


async def test_a_taken_port_of_an_app_makes_no_token(for_phones: Config) -> None:
    taken = socket.create_server(("0.0.0.0", for_phones.tcp.hyperimu or 0))  # noqa: S104
    with taken, pytest.raises(ConfigError, match=r"tcp\.hyperimu"):
        async with service.running(for_phones):
            pass
    assert not token_made(for_phones)
    socket.create_server(("0.0.0.0", for_phones.server.port)).close()  # noqa: S104


async def test_the_first_token_is_there_before_anybody_is_answered(for_phones: Config) -> None:
    """Without any token the server would be open to everybody."""
    answering, seen = serving.answering, []

    def opens(server: Any, listening: socket.socket) -> Any:
        seen.append(token_made(for_phones))
        return answering(server, listening)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "answering", opens)
        async with service.running(for_phones):
            pass
    assert seen == [False, True]  # the door for trust asks for none
