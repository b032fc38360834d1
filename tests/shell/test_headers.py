"""Every answer guards itself, whatever went wrong, and none tells how the server works inside."""

import httpx
import pytest

from stream.doors import headers
from stream.service import Service

FRAME_OF_JUNK = {"method": "POST", "url": "/v1/frames?device=a", "content": "junk"}
QUESTIONS = [
    ({"method": "GET", "url": "/healthz"}, 200),
    ({"method": "GET", "url": "/v1/devices"}, 200),
    ({"method": "GET", "url": "/metrics"}, 200),
    ({"method": "GET", "url": "/nothing"}, 404),
    ({"method": "DELETE", "url": "/v1/devices"}, 405),
    (FRAME_OF_JUNK, 422),
    ({"method": "GET", "url": "/v1/devices", "headers": {"Origin": "http://evil"}}, 403),
]


@pytest.mark.parametrize(("question", "status"), QUESTIONS)
async def test_every_answer_says_it(
    running: Service, question: dict[str, object], status: int
) -> None:
    async with httpx.AsyncClient(base_url=running.http_url) as client:
        answer = await client.request(**question)  # type: ignore[arg-type]
    assert answer.status_code == status
    for name, value in headers.ALWAYS.items():
        assert answer.headers[name] == value
    assert "server" not in answer.headers


async def test_pages_keep_their_own(running: Service) -> None:
    async with httpx.AsyncClient(base_url=running.http_url) as client:
        answer = await client.get("/pages/phone.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"


async def test_what_fails_inside_stays_inside(
    running: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def render() -> bytes:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(running.hub.metrics, "render", render)
    async with httpx.AsyncClient(base_url=running.http_url) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "a secret of the inside" in caplog.text
