"""Who can reach a server, and from which pages: decided on names alone."""

import pytest

from stream.access import exposure
from stream.errors import ConfigError, OriginError

HERE = ["127.0.0.1", "127.9.9.9", "::1", "localhost", "a.localhost.", "LOCALHOST"]
ELSEWHERE = ["0.0.0.0", "::", "10.0.0.7", "gaitway.example", "pi.local", "evillocalhost", ""]  # noqa: S104


def test_what_means_this_machine_is_told_from_what_others_use() -> None:
    assert [exposure.is_here(host) for host in HERE] == [True] * len(HERE)
    assert [exposure.is_here(host) for host in ELSEWHERE] == [False] * len(ELSEWHERE)


@pytest.mark.parametrize("host", HERE)
def test_this_machine_alone_may_be_open(host: str) -> None:
    exposure.may_start(host, tls=False, tokens=False, insecure=False)
    exposure.may_open_tcp(host, ["hyperimu"], insecure=False)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_others_need_tokens_and_tls_or_an_operator_who_wants_it_so(host: str) -> None:
    exposure.may_start(host, tls=True, tokens=True, insecure=False)
    exposure.may_start(host, tls=False, tokens=False, insecure=True)
    with pytest.raises(ConfigError) as refused:
        exposure.may_start(host, tls=False, tokens=False, insecure=False)
    commands = ("`gaitway serve --https`", f"`gaitway serve --host {host} --insecure`")
    words = (f"server.host = {host!r}", "stream and watch", "clear text", *commands)
    assert all(word in str(refused.value) for word in words)
    with pytest.raises(ConfigError, match="--https") as refused:
        exposure.may_start(host, tls=False, tokens=True, insecure=False)
    assert "stream and watch" not in str(refused.value)
    with pytest.raises(ConfigError, match="gaitway token add") as refused:
        exposure.may_start(host, tls=True, tokens=False, insecure=False)
    assert "clear text" not in str(refused.value)


def test_apps_that_can_show_no_token_need_an_operator_who_wants_it_so() -> None:
    exposure.may_open_tcp("10.0.0.7", [], insecure=False)
    exposure.may_open_tcp("10.0.0.7", ["hyperimu"], insecure=True)
    with pytest.raises(ConfigError, match=r"\(hyperimu\) can show no token"):
        exposure.may_open_tcp("10.0.0.7", ["hyperimu"], insecure=False)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "127.0.0.1:8765"),
        ("http://127.0.0.1:8765", "127.0.0.1:8765"),
        ("https://Gaitway.example", "gaitway.EXAMPLE"),
        ("https://home.example", "127.0.0.1:8765"),
    ],
)
def test_pages_of_this_server_and_listed_ones_may_come(origin: str | None, host: str) -> None:
    exposure.check_origin(origin, host, ("https://home.example",))


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:8765.evil.example",
        "http://127.0.0.1:8766",
        "http://127.0.0.1:8765@evil.example",
        "file://127.0.0.1:8765",
        "https://home.example.evil",
        "http://home.example",
    ],
)
def test_other_pages_may_not(origin: str) -> None:
    with pytest.raises(OriginError):
        exposure.check_origin(origin, "127.0.0.1:8765", ("https://home.example",))


@pytest.mark.parametrize(
    "host",
    ["localhost:8765", "127.0.0.1", "[::1]:8765", "10.0.0.7", "pi", "pi.local:80", "HOME.example"],
)
def test_an_open_server_goes_by_names_that_no_stranger_owns(host: str) -> None:
    exposure.check_host(host, ("https://home.example:8443",))


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "", "a b", "x.local.evil.example", "a\n", "[evil]"],
)
def test_a_name_that_a_stranger_can_lead_here_is_refused(host: str) -> None:
    with pytest.raises(OriginError):
        exposure.check_host(host, ("https://home.example:8443",))
