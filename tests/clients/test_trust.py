"""Clients over TLS: Gaitway's own authority is trusted where it was made, others where named."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import msgspec
import numpy as np
import pytest

from clients import Phone, RefusedError, trust, watch
from clients.errors import UnreachableError
from clients.load import Load, load
from stream import folders, service
from stream.config import Config, Server
from stream.errors import ParameterError
from stream.events import Ended, Prediction
from stream.service import Service
from tests.clients.test_cli import gaitway
from tests.conftest import OPEN, Broker, free_port


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for what is kept, instead of the user's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
async def secure(config: Config) -> AsyncIterator[Service]:
    server = Server(host="127.0.0.1", port=0, https=True)
    async with service.running(msgspec.structs.replace(config, server=server)) as running:
        yield running


@pytest.fixture
def elsewhere(secure: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make this another machine than the server's; return the authority that came along."""
    brought = tmp_path / "brought.crt"
    brought.write_bytes(folders.authority().read_bytes())
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "another"))
    return brought


async def predictions(url: str, ca: Path | None = None) -> int:
    """Stream ten seconds and a bit; return how many predictions a phone and a listener got."""
    heard = 0
    async with asyncio.timeout(30), aclosing(watch(url, types=["prediction"], ca=ca)) as others:
        listening = asyncio.ensure_future(anext(others))
        async with Phone(url, "a", ca=ca) as phone:
            await phone.send(np.random.default_rng(0).normal([0, 9.8, 0], 1, (200, 3)))
            async for message in phone.messages():
                if isinstance(message, Prediction):
                    heard += 1
                    break
        while not isinstance(message := await listening, Prediction):
            assert not isinstance(message, Ended)
            listening = asyncio.ensure_future(anext(others))
    return heard + 1


async def test_on_the_servers_machine_nothing_needs_to_be_said(secure: Service) -> None:
    assert secure.ws_url.startswith("wss://")
    assert await predictions(secure.ws_url) == 2


async def test_elsewhere_the_authority_is_named(secure: Service, elsewhere: Path) -> None:
    assert await predictions(secure.ws_url, elsewhere) == 2


async def test_without_it_the_client_says_what_is_missing(secure: Service, elsewhere: Path) -> None:
    with pytest.raises(RefusedError, match=r"not trusted \(.*\): name the file .* with --ca"):
        async with Phone(secure.ws_url, "a"):
            pass


async def test_many_phones_load_a_server_over_tls(secure: Service, elsewhere: Path) -> None:
    options = Load(secure.ws_url, phones=5, seconds=12, speed=20, ca=elsewhere)
    report = await load(options, None, lambda _: None)
    assert report.predictions == report.expected > 0
    assert report.lossless


async def test_the_command_line_takes_it(secure: Service, elsewhere: Path) -> None:
    options = ("load", "--phones", "2", "--seconds", "1", "--to", secure.ws_url)
    done = await gaitway(*options)
    assert done.returncode == 1
    assert "is not trusted" in done.stderr
    done = await gaitway(*options, "--ca", str(elsewhere))
    assert done.returncode == 0, done.stderr


async def test_a_client_without_tls_is_told_to_try_it(secure: Service) -> None:
    with pytest.raises(UnreachableError, match="or try wss://"):
        async with Phone(secure.ws_url.replace("wss", "ws"), "a"):
            pass


async def test_a_server_without_tls_is_told_from_one_that_is_not_there(running: Service) -> None:
    with pytest.raises(RefusedError, match="nobody speaks TLS there: try ws://"):
        async with Phone(f"wss://127.0.0.1:{running.port}", "a"):
            pass
    with pytest.raises(UnreachableError, match="nobody answers at wss://"):
        async with Phone(f"wss://127.0.0.1:{free_port()}", "a"):
            pass


async def test_a_brokers_authority_is_named_too(
    mosquitto: None, secure: Service, elsewhere: Path, tmp_path: Path
) -> None:
    pem = tmp_path / "data" / "gaitway" / "tls" / "server.pem"
    shown = tmp_path / "broker.pem"
    shown.write_bytes(pem.read_bytes())
    broker = Broker(tmp_path, f"{OPEN}\ncertfile {shown}\nkeyfile {shown}")
    broker.start()
    try:
        async with asyncio.timeout(10):
            async with Phone(f"mqtts://127.0.0.1:{broker.port}", "a", ca=elsewhere):
                pass
    finally:
        broker.kill()


def test_files_that_are_no_authority_are_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"--ca '/nowhere': cannot be read: No such file"):
        trust.context(Path("/nowhere"))
    (tmp_path / "x").write_text("x")
    with pytest.raises(ParameterError, match=r"--ca '.*x': holds no certificate in PEM"):
        trust.context(tmp_path / "x")


def test_it_is_loaded_once_and_again_when_it_changed(secure: Service) -> None:
    first = trust.context()
    assert trust.context() is first
    folders.authority().write_bytes(folders.authority().read_bytes())
    assert trust.context() is not first
    assert isinstance(first, ssl.SSLContext)
