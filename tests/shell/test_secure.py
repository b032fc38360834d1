"""TLS from socket to event: what clients that know the authority get, and what others get."""

import asyncio
import hashlib
import json
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from stream import addresses, folders, service, terminal
from stream import serving as http_serving
from stream.access import token_file, tokens
from stream.config import Config, Server, Tcp
from stream.errors import ConfigError
from stream.service import Service
from tests.shell.access import bearer
from tests.shell.test_service import serving
from tests.shell.test_tls import Given

BROWSER = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for what is kept, instead of the user's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def secure(config: Config) -> Config:
    server = Server(host="127.0.0.1", port=0, https=True)
    return msgspec.structs.replace(config, server=server)


@pytest.fixture
async def running(secure: Config) -> AsyncIterator[Service]:
    async with service.running(secure) as running:
        yield running


@pytest.fixture
def trusting(running: Service) -> ssl.SSLContext:
    """What a client uses that knows our authority and no other, and checks all that it can."""
    context = ssl.create_default_context(cafile=folders.authority())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_https_is_served_at_every_name(
    running: Service, trusting: ssl.SSLContext, name: str
) -> None:
    async with httpx.AsyncClient(verify=trusting) as client:
        answer = await client.get(f"https://{name}:{running.port}/readyz")
    assert answer.json()["ready"]


async def test_a_phone_streams_by_wss(running: Service, trusting: ssl.SSLContext) -> None:
    assert running.ws_url == f"wss://127.0.0.1:{running.port}"
    async with connect(f"{running.ws_url}/v1/stream?device=a", ssl=trusting) as phone:
        assert json.loads(await phone.recv())["type"] == "welcome"
        await phone.send(json.dumps({"seq": 0, "xyz": [[0.0, 9.8, 0.1 * i] for i in range(200)]}))
        async with asyncio.timeout(10):
            while json.loads(await phone.recv())["type"] != "prediction":
                pass


async def test_without_tls_and_without_trust_there_is_nothing(running: Service) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"http://127.0.0.1:{running.port}/healthz")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.get(f"https://127.0.0.1:{running.port}/healthz")


async def test_a_phone_that_does_not_trust_us_gets_the_authority_and_nothing_else(
    running: Service,
) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.trust_port}") as client:
        authority = await client.get("/ca.crt")
        page = await client.get("/")
        style = await client.get("/pages/trust.css")
        others = [(await client.get(path)).status_code for path in ("/v1/devices", "/metrics")]
    assert authority.headers["content-type"] == "application/x-x509-ca-cert"
    assert authority.content == folders.authority().read_bytes()
    assert f'href="https://127.0.0.1:{running.port}/phone"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert style.status_code == 200
    assert others == [404, 404]


async def test_by_tls_the_authority_is_there_too(
    running: Service, trusting: ssl.SSLContext
) -> None:
    async with httpx.AsyncClient(verify=trusting, base_url=running.http_url) as client:
        assert (await client.get("/ca.crt")).content == folders.authority().read_bytes()
        assert f"{running.http_url}/phone" in (await client.get("/trust")).text


async def test_the_door_without_tls_is_beside_the_one_with_it(secure: Config) -> None:
    port, beside = _free_neighbours()
    server = msgspec.structs.replace(secure.server, port=port)
    config = msgspec.structs.replace(secure, server=server)
    async with service.running(config) as running:
        assert running.trust_port == beside
    with socket.create_server(("127.0.0.1", beside)):
        async with service.running(config) as running:
            assert running.trust_port not in {beside, 0}


def _free_neighbours() -> tuple[int, int]:
    """Return two free ports, one after the other."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port = int(first.getsockname()[1])
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
            except (OSError, OverflowError):
                continue
        return port, port + 1


async def test_the_dashboard_leads_a_phone_to_both(secure: Config) -> None:
    server = msgspec.structs.replace(secure.server, host="0.0.0.0")  # noqa: S104  as phones need it
    async with service.running(msgspec.structs.replace(secure, server=server)) as running:
        context = ssl.create_default_context(cafile=folders.authority())
        async with httpx.AsyncClient(verify=context, base_url=running.http_url) as client:
            page = (await client.get("/", headers=BROWSER)).text
    own = addresses.own()
    assert f'href="https://{own}:{running.port}/phone"' in page
    assert f'href="http://{own}:{running.trust_port}/"' in page
    assert '<p class="problem" hidden>' in page


async def test_a_renewed_certificate_is_shown_at_once_and_connections_stay(
    running: Service, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [*addresses.of_machine(), "10.255.0.9"]
    monkeypatch.setattr(addresses, "of_machine", lambda: names)
    async with connect(f"{running.ws_url}/v1/stream?device=a", ssl=trusting) as phone:
        await phone.recv()
        before = await _shown(running, trusting)
        assert running.identity is not None
        assert running.identity.renew(datetime.now(UTC))
        after = await _shown(running, trusting)
        assert ("IP Address", "10.255.0.9") not in before
        assert ("IP Address", "10.255.0.9") in after
        await phone.send(json.dumps({"seq": 0, "xyz": [[0.0, 9.8, 0.1]] * 20}))
        assert json.loads(await phone.recv())["type"] == "ack"


async def _shown(running: Service, context: ssl.SSLContext) -> list[tuple[str, str]]:
    _, writer = await asyncio.open_connection("127.0.0.1", running.port, ssl=context)
    shown = writer.get_extra_info("peercert")
    writer.close()
    await writer.wait_closed()
    return list(shown["subjectAltName"])


@pytest.mark.parametrize("kind", [ConfigError, OSError, ssl.SSLError])
async def test_a_certificate_that_cannot_be_renewed_stops_nothing(
    running: Service,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: type[Exception],
) -> None:
    told = asyncio.Event()

    def fails(_now: object) -> bool:
        told.set()
        raise kind("the disk is full")

    monkeypatch.setattr(http_serving, "RENEW_S", 0.0)
    assert running.identity is not None
    monkeypatch.setattr(running.identity, "renew", fails)
    renewing = asyncio.create_task(http_serving._renew(running.identity))
    async with asyncio.timeout(5):
        await told.wait()
        told.clear()
        await told.wait()
    renewing.cancel()
    assert "the disk is full" in caplog.text


async def test_an_operators_own_certificate_needs_no_door(secure: Config, tmp_path: Path) -> None:
    given = Given(tmp_path, ["gaitway.example", "127.0.0.1"])
    server = Server(host="127.0.0.1", port=0, cert=given.cert, key=given.key)
    async with service.running(msgspec.structs.replace(secure, server=server)) as running:
        assert running.trust_port == 0
        async with httpx.AsyncClient(verify=False) as client:  # noqa: S501  nobody knows its signer
            assert (await client.get(f"{running.http_url}/healthz")).text == "ok\n"
            assert (await client.get(f"{running.http_url}/ca.crt")).status_code == 404
        lines = terminal.invitation(
            running._replace(host="0.0.0.0"),  # noqa: S104  not bound
            color=False,
        )
        shown = "\n".join(lines)
    assert f"https://gaitway.example:{running.port}/phone" in shown
    assert "SHA-256" not in shown


async def test_on_this_machine_alone_no_phone_is_invited(running: Service) -> None:
    assert list(terminal.invitation(running, color=False)) == []


async def test_without_tls_no_phone_is_invited(config: Config) -> None:
    async with service.running(config) as running:
        anywhere = running._replace(host="0.0.0.0")  # noqa: S104  not bound
        assert list(terminal.invitation(anywhere, color=False)) == []


async def test_the_code_is_dark_on_light_in_any_terminal(running: Service) -> None:
    anywhere = running._replace(host="0.0.0.0")  # noqa: S104  not bound
    plain = list(terminal.invitation(anywhere, color=False))
    colored = list(terminal.invitation(anywhere, color=True))
    code = [line for line in colored if "\x1b[97m\x1b[40m" in line]
    assert len(code) > 10
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in colored] == plain


async def test_serve_https_prints_how_a_phone_gets_in(toy_artifact: Path, tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text(f'[auth]\ntokens = "{tmp_path / "tokens.json"}"\n')
    options = ("--https", "--artifact", str(toy_artifact), "--config", str(settings))
    async with serving(*options) as (process, address):
        assert address.startswith("127.0.0.1:")
        assert process.stdout is not None
        lines: list[str] = []
        async with asyncio.timeout(10):
            while "SHA-256" not in "".join(lines):
                lines.append((await process.stdout.readline()).decode())
            fingerprint = (await process.stdout.readline()).decode().strip()
            while "gaitway token add" not in "".join(lines):
                lines.append((await process.stdout.readline()).decode())
        told = "".join(lines)
        port = address.rpartition(":")[2]
        first = re.search(rf"https://{addresses.own()}:{port}/phone#token=(\S+) there", told)
        assert first is not None
        assert "█▄▄▄█" in told
        found = re.search(r"http://(\S+)/", told)
        assert found is not None
        async with httpx.AsyncClient() as client:
            pem = (await client.get(f"http://{found[1]}/ca.crt")).text
        der = ssl.PEM_cert_to_DER_cert(pem)
        assert fingerprint == _sha256(der)
        context = ssl.create_default_context(cadata=pem)
        url, token = f"wss://{address}/v1/stream?device=a", bearer(first[1])
        async with connect(url, ssl=context, additional_headers=token) as phone:
            await phone.recv()
            process.terminate()
            with pytest.raises(ConnectionClosed):
                await phone.recv()
        async with asyncio.timeout(5):
            assert await process.wait() == 0


@pytest.fixture
def for_phones(secure: Config) -> Config:
    """Settings that let other machines in."""
    server = msgspec.structs.replace(secure.server, host="0.0.0.0")  # noqa: S104  as phones need it
    return msgspec.structs.replace(secure, server=server)


async def test_the_first_start_for_phones_makes_a_token(for_phones: Config) -> None:
    async with service.running(for_phones) as running:
        token = running.first_token
        (kept,) = token_file.load(Path(for_phones.auth.tokens))
        assert (kept.may, kept.sha256) == ("phones", tokens.digest(token))
        told = "\n".join(terminal.greeting(for_phones, running, color=False))
        assert f":{running.port}/phone#token={token} there" in told
        assert f"gaitway token revoke {token[3:11]}`" in told
        context = ssl.create_default_context(cafile=folders.authority())
        url = f"{running.ws_url}/v1/stream?device=a"
        async with connect(url, ssl=context, additional_headers=bearer(token)) as phone:
            assert json.loads(await phone.recv())["type"] == "welcome"
        async with httpx.AsyncClient(verify=context, base_url=running.http_url) as client:
            answers = [
                (await client.get(path, headers=headers)).status_code
                for headers in (bearer(token), {})
                for path in ("/v1/devices", "/metrics", "/ca.crt")
            ]
        assert answers == [200, 403, 200, 401, 401, 200]
    async with service.running(for_phones) as again:
        assert again.first_token == ""
        told = "\n".join(terminal.greeting(for_phones, again, color=False))
        assert "token=" not in told
        assert "`gaitway token add --device NAME`" in told


async def test_an_open_server_for_phones_makes_no_token(for_phones: Config) -> None:
    auth = msgspec.structs.replace(for_phones.auth, insecure=True)
    async with service.running(msgspec.structs.replace(for_phones, auth=auth)) as running:
        assert running.first_token == ""
        assert running.gate.book() is None
        told = "\n".join(terminal.greeting(for_phones, running, color=False))
        assert "open       to everyone who reaches it" in told
        context = ssl.create_default_context(cafile=folders.authority())
        async with httpx.AsyncClient(verify=context, base_url=running.http_url) as client:
            named = {"Host": "gaitway.example"}  # no stranger has a certificate that counts
            assert (await client.get("/v1/devices", headers=named)).status_code == 200


async def test_where_all_tokens_were_revoked_no_other_is_made(for_phones: Config) -> None:
    path = Path(for_phones.auth.tokens)
    _, token = token_file.add(path, "phones")
    with token_file.changing(path) as books:
        books[0] = books[0].without(token.id)
    with pytest.raises(ConfigError, match="gaitway token add"):
        async with service.running(for_phones):
            pass


async def test_apps_that_can_show_no_token_are_not_let_in_from_elsewhere(
    for_phones: Config,
) -> None:
    tcp = msgspec.structs.replace(for_phones, tcp=Tcp(hyperimu=0))
    with pytest.raises(ConfigError, match=r"\[tcp\] \(hyperimu\) can show no token"):
        async with service.running(tcp):
            pass
    async with service.running(for_phones) as running:
        assert running.first_token  # and none was made before


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).digest().hex(":").upper()


def test_without_tls_its_libraries_are_not_loaded() -> None:
    code = (
        "import sys, stream.cli, stream.service, stream.terminal, clients.phone, clients.listen\n"
        "own = {'stream.tls.identity', 'stream.tls.certificates'}\n"
        "assert not {'cryptography', *own} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
