"""Clients show tokens, from a parameter or the environment, and say what is wrong with them."""

from pathlib import Path

import pytest

from clients import Phone, RefusedError, watch
from stream.access import gate
from stream.errors import ParameterError
from stream.service import Service
from tests.clients.made import samples, write_wisdm
from tests.clients.test_cli import gaitway
from tests.shell.access import Keys


@pytest.mark.parametrize("by_environment", [True, False])
async def test_a_phone_and_a_listener_show_their_tokens(
    guarded: Service, keys: Keys, monkeypatch: pytest.MonkeyPatch, by_environment: bool
) -> None:
    token: str | None = keys.device
    if by_environment:
        monkeypatch.setenv("GAITWAY_TOKEN", keys.device)
        token = None
    async with Phone(guarded.ws_url, "pixel-7", token=token) as phone:
        await phone.send(samples(0))
        await phone.drain()
        async for message in watch(guarded.ws_url, token=keys.watch):
            assert getattr(message, "device", None) == "pixel-7"
            break


@pytest.mark.parametrize("command", ["watch", "replay", "load"])
async def test_a_command_without_a_token_says_so_at_once(
    guarded: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(gate, "AUTH_S", 60.0)  # for a browser, which asks its user
    path = write_wisdm(tmp_path / "WISDM_ar_v1.1_raw.txt", users=("33",))
    arguments = {
        "watch": [guarded.ws_url, "--seconds", "50"],
        "replay": [str(path), "--to", guarded.ws_url],
        "load": ["--phones", "2", "--to", guarded.ws_url],
    }
    done = await gaitway(command, *arguments[command])
    assert done.returncode == 1
    *progress, line = done.stderr.strip().splitlines()
    assert command == "replay" or not progress
    assert line.startswith("gaitway: error: ")
    assert "--token" in line
    assert "GAITWAY_TOKEN" in line


async def test_what_is_wrong_is_said_once_and_not_tried_again(guarded: Service, keys: Keys) -> None:
    for token, device, code, words in (
        (None, "pixel-7", 4401, "set GAITWAY_TOKEN"),
        (keys.revoked, "pixel-7", 4401, "is wrong, or was revoked"),
        (keys.expired, "pixel-7", 4401, "expired at"),
        (keys.other, "pixel-7", 4403, "this token is for device ann: it doesn't stream as pixel-7"),
    ):
        with pytest.raises(RefusedError) as refused:
            async with Phone(guarded.ws_url, device, token=token):
                pass
        assert refused.value.code == code
        assert words in str(refused.value)
        assert token is None or token not in str(refused.value)
    with pytest.raises(RefusedError, match="it watches nobody"):
        async for _ in watch(guarded.ws_url, token=keys.device):
            pass


@pytest.mark.parametrize("token", ["two words", "gw-é", "a\r\nX-Evil: 1"])
async def test_what_can_be_no_token_is_not_sent(guarded: Service, token: str) -> None:
    with pytest.raises(ParameterError, match="copy it anew") as error:
        async with Phone(guarded.ws_url, "pixel-7", token=token):
            pass
    assert token not in str(error.value)
