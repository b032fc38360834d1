"""Calls phyphox by HTTP: asks the phone again and again for what is new in its buffers."""

import asyncio

import httpx

from stream.dial.line import Line
from stream.dial.unreachable import unreachable
from stream.doors import apps
from stream.errors import DeviceError, UnreachableError
from stream.sensor_apps.dialects import phyphox
from stream.sensor_apps.dialects.phyphox import Cursor

TIMEOUT_S = 10.0
PATIENCE = 2  # answers in a row that can't be read, before what the phone has is given up


class Caller:
    """Asks one phone, until it doesn't answer; what was taken is remembered."""

    def __init__(self, line: Line, poll_s: float) -> None:
        self._line = line
        self._poll_s = poll_s
        self._cursor = Cursor()

    async def serve(self) -> None:
        """Ask and take what comes, until cancelled; raises UnreachableError for no answer."""
        try:
            # A connection for each question: phyphox gets confused by those that are kept.
            async with httpx.AsyncClient(
                base_url=self._line.phone.url,
                headers={"Connection": "close", "Accept-Encoding": "identity"},
                timeout=TIMEOUT_S,
                trust_env=False,
            ) as client:
                while True:
                    await self._ask(client)
                    await asyncio.sleep(self._poll_s)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            foreign = isinstance(error, httpx.ProtocolError | httpx.DecodingError)
            raise unreachable(error, phyphox.START, foreign=foreign) from error

    async def _ask(self, client: httpx.AsyncClient) -> None:
        payload = await self._get(client, "/get", self._cursor.query())
        try:
            answer = await apps.read(phyphox.decode, payload, self._line.limits)
        except DeviceError as error:
            if self._line.refuse(error) >= PATIENCE or len(payload) > phyphox.MAX_BYTES:
                self._cursor.skip()
            return
        self._line.accept()
        self._line.connected()
        taken = self._cursor.feed(answer)
        if taken.anew:
            self._line.begin_anew()
        await self._line.take(taken.readings)
        if taken.start:
            await self._start(client)

    async def _start(self, client: httpx.AsyncClient) -> None:
        answer = await self._get(client, "/control", {"cmd": "start"})
        self._cursor.started()
        if b"true" not in answer:  # {"result": true}
            self._line.say("phyphox doesn't start to measure: press play on the phone")

    async def _get(self, client: httpx.AsyncClient, path: str, query: dict[str, str]) -> bytes:
        """Return an answer, but no more of it than is allowed and a bit."""
        async with client.stream("GET", path, params=query) as response:
            if response.status_code != httpx.codes.OK:
                raise UnreachableError(f"answers {response.status_code}. {phyphox.MISSING}")
            payload = bytearray()
            async for part in response.aiter_raw():  # not unpacked: little could become much
                payload += part
                if len(payload) > phyphox.MAX_BYTES:
                    break
            return bytes(payload)
