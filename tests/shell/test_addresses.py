"""How this machine is reached: names that a certificate may hold, and addresses that URLs may."""

import socket

import pytest

from stream import addresses


def test_all_that_somebody_here_may_call_us_is_there() -> None:
    found = addresses.of_machine()
    assert {"localhost", "127.0.0.1", "::1"} <= set(found)
    assert addresses.own() in found
    assert found == sorted(set(found))
    assert not any("%" in name for name in found)


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("pi", {"pi", "pi.local"}),
        ("pi.home.example", {"pi.home.example", "pi", "pi.local"}),
        ("Anns-Mac.local", {"Anns-Mac.local", "Anns-Mac"}),
        ("pi_4", set()),  # in no certificate
        ("übung", set()),
        ("", set()),
    ],
)
def test_names_come_from_the_machines(
    monkeypatch: pytest.MonkeyPatch, host: str, names: set[str]
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    found = {name for name in addresses.of_machine() if not name[0].isdigit() and ":" not in name}
    assert found - {"localhost"} == names


def test_phones_call_us_by_name_or_by_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "own", lambda: "10.0.0.7")
    assert addresses.for_phones("::") == "10.0.0.7"
    assert addresses.for_phones("10.0.0.8") == "10.0.0.8"
    assert addresses.for_phones("::", "gaitway.example") == "gaitway.example"
    assert addresses.in_url("fd00::7") == "[fd00::7]"
