"""Tokens: what each lets its bearer do, and how one that is shown is recognised.

Knows no file and no clock. A token is 256 random bits, so its plain SHA-256 can be kept: slow
hashes protect what people think up and others can guess, and nobody guesses these.
"""

import base64
import hmac
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from stream.errors import ConfigError, UnauthenticatedError
from stream.malformed import MALFORMED, explain

ID_BYTES, SECRET_BYTES = 4, 32
May = Literal["device", "watch", "phones", "admin"]
_SHOWN = re.compile(r"gw-([0-9a-f]{8})-[A-Za-z0-9_-]{43}")
_PATTERN = re.compile(r"[A-Za-z0-9_.*?\[\]!-]{1,64}")
_NOBODYS = "0" * 64  # compared with where an id is unknown, so that both take as long


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a token: never the token itself."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{8}\Z")]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    may: May
    name: str  # the device that streams, or the pattern of those that are watched; else empty
    created: datetime
    expires: datetime | None = None

    @property
    def for_all(self) -> bool:
        """Whether it streams as any device, and watches all."""
        return self.may in ("phones", "admin")

    def streams_as(self, device: str) -> bool:
        """Whether it may stream as this device."""
        return self.for_all or (self.may == "device" and self.name == device)

    def watches(self, device: str) -> bool:
        """Whether it may see what this device does."""
        return self.for_all or (self.may == "watch" and fnmatchcase(device, self.name))

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and now >= self.expires


class Book:
    """All tokens there are."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._tokens = {token.id: token for token in tokens}

    def __len__(self) -> int:
        return len(self._tokens)

    def __iter__(self) -> Iterator[Token]:
        return iter(self._tokens.values())

    def __contains__(self, token: Token) -> bool:
        return self._tokens.get(token.id) == token

    def find(self, shown: str, now: datetime) -> Token:
        """Return the token that is shown; raises UnauthenticatedError, which never repeats it."""
        form = _SHOWN.fullmatch(shown)
        if form is None:
            raise UnauthenticatedError("that is no whole token: gw-, 8 and 43 characters are")
        token = self._tokens.get(form[1])
        kept = token.sha256 if token else _NOBODYS
        if not hmac.compare_digest(digest(shown), kept) or token is None:
            raise UnauthenticatedError(f"token gw-{form[1]}-… is wrong, or was revoked")
        if token.expired(now):
            raise UnauthenticatedError(f"token gw-{form[1]}-… expired at {token.expires}")
        return token

    def without(self, id_: str) -> "Book":
        """Return a book without one token; raises ConfigError where there is none of that id."""
        if id_ not in self._tokens:
            known = ", ".join(self._tokens) or "none"
            raise ConfigError(f"token {id_!r} is not here; there are: {known}")
        return Book(token for token in self if token.id != id_)


def digest(shown: str) -> str:
    """Return what is kept of a token's text."""
    return sha256(shown.encode()).hexdigest()


def mint(
    random: bytes, may: May, name: str, created: datetime, expires: datetime | None = None
) -> tuple[str, Token]:
    """Make a token of ID_BYTES + SECRET_BYTES random bytes; return its text, and what is kept."""
    if len(random) != ID_BYTES + SECRET_BYTES:
        raise ValueError(f"{len(random)} bytes: {ID_BYTES + SECRET_BYTES} are needed")
    id_, secret = random[:ID_BYTES].hex(), base64.urlsafe_b64encode(random[ID_BYTES:])
    shown = f"gw-{id_}-{secret.decode().rstrip('=')}"
    return shown, Token(id_, digest(shown), may, name, created, expires)


def check_pattern(pattern: str) -> str:
    """Return a pattern of devices that can be watched; raises ConfigError."""
    if not _PATTERN.fullmatch(pattern):
        raise ConfigError(f"--watch {pattern[:80]!r}: a device's id with *, ? or [a-z] is allowed")
    return pattern


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tokens: list[Token]


def read(raw: bytes) -> Book:
    """Read a book that `write` wrote; raises ConfigError where it is damaged."""
    try:
        tokens = msgspec.json.decode(raw, type=_File).tokens
    except MALFORMED as error:
        raise ConfigError(f"is no file of tokens: {explain(error)}") from error
    book = Book(tokens)
    if len(book) < len(tokens):
        raise ConfigError("is no file of tokens: an id is there twice")
    return book


def write(book: Book) -> bytes:
    """Write a book, a token a line or so."""
    return msgspec.json.format(msgspec.json.encode(_File(list(book)))) + b"\n"
