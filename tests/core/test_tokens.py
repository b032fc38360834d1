"""Tokens: recognised whole, unexpired and unrevoked, and kept as nothing but their hashes."""

from datetime import UTC, datetime, timedelta

import pytest

from stream.access import tokens
from stream.access.tokens import Book, May, Token
from stream.errors import ConfigError, UnauthenticatedError

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def made(
    may: May = "device", name: str = "pixel-7", seed: int = 1, **more: datetime
) -> tuple[str, Token]:
    return tokens.mint(bytes(range(seed, seed + 36)), may, name, NOW, more.get("expires"))


def test_a_token_is_found_by_its_text_alone() -> None:
    shown, token = made()
    other, _ = made(seed=2)
    book = Book([token])
    assert book.find(shown, NOW) is token
    assert shown.startswith(f"gw-{token.id}-")
    with pytest.raises(UnauthenticatedError, match="wrong, or was revoked"):
        book.find(other, NOW)


def test_what_is_kept_does_not_contain_the_token() -> None:
    shown, token = made()
    raw = tokens.write(Book([token]))
    assert shown.encode() not in raw
    assert shown.rpartition("-")[2].encode() not in raw
    assert list(tokens.read(raw)) == [token]


def wrong_ones() -> list[str]:
    shown, _ = made()
    other = "A" if shown[-1] != "A" else "B"
    return [
        "",
        "gw-",
        shown[:-1],
        shown + "A",
        shown[:-1] + other,
        shown.upper(),
        shown + "\n",
        f" {shown}",
        "gw-00000000-" + shown[12:],
        shown[3:],
        "gw-" + "é" * 52,
        "\x00" * 55,
        "gw-01020304-" + "\u0661" * 43,
    ]


@pytest.mark.parametrize("shown", wrong_ones())
def test_anything_else_is_refused_and_never_repeated(shown: str) -> None:
    _, token = made()
    with pytest.raises(UnauthenticatedError) as refused:
        Book([token]).find(shown, NOW)
    assert len(shown) < 12 or shown[12:] not in str(refused.value)


def test_a_token_counts_until_it_expires() -> None:
    shown, token = made(expires=NOW + timedelta(days=1))
    book = Book([token])
    assert book.find(shown, NOW + timedelta(hours=23)) is token
    with pytest.raises(UnauthenticatedError, match="expired at 2026-11-23"):
        book.find(shown, NOW + timedelta(days=1))


def test_a_revoked_token_is_gone() -> None:
    shown, token = made()
    kept, other = made(seed=9)
    book = Book([token, other]).without(token.id)
    assert token not in book
    assert book.find(kept, NOW) is other
    with pytest.raises(UnauthenticatedError):
        book.find(shown, NOW)
    with pytest.raises(ConfigError, match=f"'{token.id}' is not here; there are: {other.id}"):
        book.without(token.id)


@pytest.mark.parametrize(
    ("may", "name", "streams", "watches"),
    [
        ("device", "pixel-7", {"pixel-7"}, set()),
        ("watch", "pixel-*", set(), {"pixel-7", "pixel-8"}),
        ("watch", "pixel-[7]", set(), {"pixel-7"}),
        ("watch", "*", set(), {"pixel-7", "pixel-8", "ann"}),
        ("phones", "", {"pixel-7", "pixel-8", "ann"}, {"pixel-7", "pixel-8", "ann"}),
        ("admin", "", {"pixel-7", "pixel-8", "ann"}, {"pixel-7", "pixel-8", "ann"}),
    ],
)
def test_what_each_kind_may_do(may: May, name: str, streams: set[str], watches: set[str]) -> None:
    _, token = made(may, name)
    devices = ("pixel-7", "pixel-8", "ann")
    assert {device for device in devices if token.streams_as(device)} == streams
    assert {device for device in devices if token.watches(device)} == watches


def test_a_devices_name_is_no_pattern() -> None:
    _, token = made("device", "pixel-7")
    assert not token.streams_as("pixel-*")
    assert not made("watch", "PIXEL-*")[1].watches("pixel-7")


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"tokens": [{"id": "x"}]}', b'{"tokens": 3}', b"\xff", b"[" * 9999]
)
def test_a_damaged_file_is_refused(raw: bytes) -> None:
    with pytest.raises(ConfigError, match="is no file of tokens"):
        tokens.read(raw)


def test_two_tokens_of_one_id_are_refused() -> None:
    _, token = made()
    raw = tokens.write(Book([token])).decode()
    inner = raw[raw.index("[") + 1 : raw.rindex("]")]
    with pytest.raises(ConfigError, match="twice"):
        tokens.read(f'{{"tokens": [{inner}, {inner}]}}'.encode())


@pytest.mark.parametrize("pattern", ["", "a/b", "a b", "a#", "+", "a\n", "x" * 65])
def test_a_pattern_holds_nothing_but_ids_and_wildcards(pattern: str) -> None:
    with pytest.raises(ConfigError, match="--watch"):
        tokens.check_pattern(pattern)


def test_too_little_luck_is_refused() -> None:
    with pytest.raises(ValueError, match="36 are needed"):
        tokens.mint(b"1234", "admin", "", NOW)
