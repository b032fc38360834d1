"""What tests of the gate need: a file of tokens, and a service that asks for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec

from stream import config, service
from stream.access import token_file
from stream.access.tokens import May
from stream.config import Config
from stream.service import Service


class Keys:
    """Makes and revokes tokens in a file, as `gaitway token` does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.device = self.add("device", "pixel-7")
        self.watch = self.add("watch", "pixel-*")
        self.phones = self.add("phones")
        self.admin = self.add("admin")
        self.other = self.add("device", "ann")
        self.expired = self.add("device", "pixel-7", expires_s=-1)
        self.revoked = self.add("device", "pixel-7")
        self.revoke(self.revoked)

    def add(self, may: May, name: str = "", expires_s: float | None = None) -> str:
        lasts = None if expires_s is None else timedelta(seconds=expires_s)
        return token_file.add(self.path, may, name, lasts)[0]

    def revoke(self, shown: str) -> None:
        with token_file.changing(self.path) as books:
            books[0] = books[0].without(shown[3:11])


def bearer(token: str) -> dict[str, str]:
    """Return the header that shows a token; an empty one only says so."""
    return {"Authorization": f"Bearer {token}".rstrip()}


@asynccontextmanager
async def asking(settings: Config, path: Path, **limits: object) -> AsyncIterator[Service]:
    """A service that asks for the tokens in `path`."""
    auth = config.Auth(tokens=str(path))
    changed = msgspec.structs.replace(settings, auth=auth, limits=config.Limits(**limits))  # type: ignore[arg-type]
    async with service.running(changed) as running:
        yield running
