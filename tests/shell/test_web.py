"""What a browser gets: the pages for browsers, JSON for programs, headers, and the QR code."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
import segno
from starlette.requests import Request

from stream import addresses
from stream.config import Config, Server
from stream.doors import web
from stream.service import Service

ANYWHERE = "0.0.0.0"  # noqa: S104  nothing is bound here
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
async def client(running: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.http_url) as client:
        yield client


async def test_browsers_get_the_dashboard_and_programs_the_index(client: httpx.AsyncClient) -> None:
    page = await client.get("/", headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>Gaitway: dashboard</title>" in page.text
    index = await client.get("/")
    assert index.json()["phone"] == "/phone"
    assert "Accept" in page.headers["vary"]
    assert "Accept" in index.headers["vary"]


@pytest.mark.parametrize("path", ["/", "/phone", "/phone.svg", "/pages/phone.js"])
async def test_pages_are_guarded(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path, headers=BROWSER)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "accelerometer=(self)" in headers["permissions-policy"]


async def test_files_are_kept_by_the_browser_and_asked_for_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/pages/theme.css")
    assert first.headers["cache-control"] == "no-cache"
    again = await client.get("/pages/theme.css", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/pages/nothing.js", "/pages/../web.py", "/pages/%2e%2e/web.py"])
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_code_is_the_phone_pages_address(client: httpx.AsyncClient) -> None:
    host = {"Host": "gaitway.example:8443", "X-Forwarded-Proto": "https"}
    drawn = await client.get("/phone.svg", headers=host)
    assert drawn.headers["content-type"] == "image/svg+xml"
    wide = segno.make("https://gaitway.example:8443/phone", micro=False).symbol_size(border=4)[0]
    assert f'viewBox="0 0 {wide} {wide}"' in drawn.text
    page = await client.get("/", headers={**host, **BROWSER})
    assert 'href="https://gaitway.example:8443/phone"' in page.text


async def test_a_hosts_name_is_never_markup(client: httpx.AsyncClient) -> None:
    page = await client.get("/", headers={"Host": 'a"><script>', **BROWSER})
    assert "<script>" not in page.text


def asked(listening: str, host: str, scheme: str = "http") -> Request:
    class State:
        config = msgspec.structs.replace(Config(), server=Server(host=listening))
        identity = None
        trust_port = 8766 if scheme == "https" else 0

    class App:
        state = State()

    headers = [(b"host", host.encode())]
    scope = {"type": "http", "headers": headers, "scheme": scheme, "path": "/", "app": App()}
    return Request({**scope, "server": ("x", 80), "query_string": b"", "root_path": ""})


@pytest.mark.parametrize(
    ("listening", "host", "scheme", "url", "advice"),
    [
        ("", "localhost:8765", "http", "http://localhost:8765/phone", "gaitway serve --https"),
        ("127.0.0.1", "localhost:80", "https", "https://localhost:80/phone", "--host 0.0.0.0"),
        (ANYWHERE, "10.0.0.7:8765", "http", "http://10.0.0.7:8765/phone", "https pages only"),
        (ANYWHERE, "gaitway.example", "https", "https://gaitway.example/phone", ""),
        ("::", "[fd00::7]:8765", "https", "https://[fd00::7]:8765/phone", ""),
        (ANYWHERE, "[::1]:8765", "https", "https://OWN:8765/phone", ""),
        (ANYWHERE, "127.0.0.1:80", "http", "http://OWN:80/phone", "https pages only"),
    ],
)
def test_a_phone_is_sent_where_it_can_get(
    monkeypatch: pytest.MonkeyPatch, listening: str, host: str, scheme: str, url: str, advice: str
) -> None:
    monkeypatch.setattr(addresses, "own", lambda: "OWN")
    invited = web.invitation(asked(listening, host, scheme))
    assert invited.url == url
    assert advice in invited.advice
    assert bool(advice) == bool(invited.advice)
    name = url.removeprefix("https://").removesuffix("/phone").removesuffix(":8765")
    assert invited.trust == ("" if advice else f"http://{name}:8766/")


FILES = sorted(path for path in web.PAGES.iterdir() if path.suffix in {".js", ".html", ".css"})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_stay_small_and_keep_to_this_server(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 250
    assert "http://" not in text
    assert "style=" not in text
    assert "innerHTML" not in text
