"""The certificate's files: made once, kept, renewed; and an operator's own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import serialization

from stream import addresses
from stream.config import Server
from stream.errors import ConfigError
from stream.tls import certificates
from stream.tls import identity as tls
from stream.tls.certificates import Pair
from stream.tls.identity import GivenIdentity, OwnIdentity

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
YEAR = timedelta(days=370)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of this machine, which a test may change."""
    names = ["127.0.0.1", "192.168.1.7", "localhost"]
    monkeypatch.setattr(addresses, "of_machine", lambda: sorted(names))
    return names


def shown(folder: Path) -> Pair:
    return Pair.read((folder / "server.pem").read_bytes())


def test_both_stay_from_one_start_to_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "tls"
    first = OwnIdentity(folder, NOW)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {"authority.pem", "server.pem", "ca.crt"}
    again = OwnIdentity(folder, NOW + timedelta(days=300))
    assert again.authority == first.authority
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert first.authority is not None
    assert before["ca.crt"] == first.authority.pem


def test_keys_are_for_nobody_else(tmp_path: Path) -> None:
    OwnIdentity(tmp_path, NOW)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"authority.pem": 0o600, "server.pem": 0o600, "ca.crt": 0o644}
    assert b"PRIVATE" not in (tmp_path / "ca.crt").read_bytes()


def test_a_certificate_near_its_end_is_renewed_by_the_same_authority(tmp_path: Path) -> None:
    first = OwnIdentity(tmp_path, NOW)
    old = shown(tmp_path).certificate
    later = OwnIdentity(tmp_path, NOW + YEAR)
    assert later.authority == first.authority
    assert shown(tmp_path).certificate.not_valid_after_utc - old.not_valid_after_utc == YEAR


def test_a_new_address_renews_it_while_the_server_runs(tmp_path: Path, machine: list[str]) -> None:
    identity = OwnIdentity(tmp_path, NOW)
    assert not identity.renew(NOW)
    machine.append("10.0.0.9")
    assert identity.renew(NOW)
    assert "10.0.0.9" in certificates.names_of(shown(tmp_path).certificate)
    assert not identity.renew(NOW)
    assert identity.renew(NOW + YEAR)


@pytest.mark.parametrize("step", ["write", "name", "read"])
def test_a_renewal_that_fails_is_tried_again(
    tmp_path: Path, machine: list[str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    identity = OwnIdentity(tmp_path, NOW)
    before = {path.name for path in tmp_path.iterdir()}
    machine.append("10.0.0.9")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        if step == "write":
            broken.setattr("os.fsync", fail)
        elif step == "name":
            broken.setattr(Path, "replace", fail)
        else:
            broken.setattr(identity, "context", SimpleNamespace(load_cert_chain=fail))
        with pytest.raises((ConfigError, OSError), match="No space"):
            identity.renew(NOW)
    assert {path.name for path in tmp_path.iterdir()} == before
    assert identity.renew(NOW)
    assert "10.0.0.9" in certificates.names_of(shown(tmp_path).certificate)
    assert not identity.renew(NOW)


def test_a_damaged_certificate_is_made_again(tmp_path: Path) -> None:
    OwnIdentity(tmp_path, NOW)
    (tmp_path / "server.pem").write_bytes(b"x")
    OwnIdentity(tmp_path, NOW)
    assert shown(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x", None])
def test_a_damaged_authority_is_never_replaced(tmp_path: Path, content: bytes | None) -> None:
    OwnIdentity(tmp_path, NOW)
    path = tmp_path / "authority.pem"
    damaged = path.read_bytes()[:-200] if content is None else content
    path.write_bytes(damaged)
    with pytest.raises(ConfigError, match=r"authority\.pem: is damaged; delete it to have"):
        OwnIdentity(tmp_path, NOW)
    assert path.read_bytes() == damaged


def test_an_authority_ends_after_ten_years(tmp_path: Path) -> None:
    OwnIdentity(tmp_path, NOW)
    with pytest.raises(ConfigError, match=r"ends on .*; delete it to have another made"):
        OwnIdentity(tmp_path, NOW + 10 * YEAR)


def test_who_comes_second_takes_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "authority.pem"
    tls._write_new(path, b"first")
    tls._write_new(path, b"second")
    assert path.read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["authority.pem"]


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file/tls: certificates cannot be kept there: Not a dir"):
        OwnIdentity(tmp_path / "file" / "tls", NOW)


def test_without_a_wish_there_is_none() -> None:
    assert tls.identity(Server()) is None


class Given:
    """An operator's files."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        signer = certificates.make_authority("elsewhere", NOW)
        self.pair = certificates.issue(signer, names, NOW)
        self.cert, self.key = str(folder / "cert.pem"), str(folder / "key.pem")
        Path(self.cert).write_bytes(certificates.public_pem(self.pair.certificate))
        self.write_key(self.pair, serialization.NoEncryption())

    def write_key(self, pair: Pair, encryption: serialization.KeySerializationEncryption) -> None:
        pem = serialization.Encoding.PEM
        form = serialization.PrivateFormat.PKCS8
        Path(self.key).write_bytes(pair.key.private_bytes(pem, form, encryption))

    def identity(self) -> GivenIdentity:
        return GivenIdentity(self.cert, self.key, NOW)

    def refusal(self) -> str:
        with pytest.raises(ConfigError) as error:
            self.identity()
        return str(error.value)


@pytest.fixture
def given(tmp_path: Path) -> Given:
    return Given(tmp_path, ["*.example", "gaitway.example", "10.0.0.9"])


def test_an_operators_own_is_shown_under_its_name(given: Given) -> None:
    identity = given.identity()
    assert identity.name == "gaitway.example"
    assert identity.authority is None
    assert not identity.renew(NOW + YEAR)


def test_files_that_are_not_there_are_named(given: Given) -> None:
    Path(given.key).unlink()
    assert (
        given.refusal() == f"server.key = {given.key!r}: cannot be read: No such file or directory"
    )
    Path(given.cert).unlink()
    assert given.refusal().startswith(f"server.cert = {given.cert!r}: cannot be read: No such file")


def test_files_that_hold_something_else_are_named(given: Given) -> None:
    Path(given.key).write_text("x")
    assert given.refusal().startswith(f"server.key = {given.key!r}: holds no private key in PEM")
    Path(given.cert).write_text("x")
    assert given.refusal() == f"server.cert = {given.cert!r}: holds no certificate in PEM"


def test_a_key_with_a_password_is_not_asked_for_at_the_terminal(given: Given) -> None:
    given.write_key(given.pair, serialization.BestAvailableEncryption(b"secret"))
    assert given.refusal().endswith("holds no private key in PEM without a password")


def test_a_key_of_another_certificate_is_named(given: Given, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    given.write_key(Given(tmp_path / "other", ["x"]).pair, serialization.NoEncryption())
    assert f"server.cert = {given.cert!r}: is not the certificate of this key" in given.refusal()


def test_a_certificate_that_has_ended_is_shown_with_a_warning(
    given: Given, caplog: pytest.LogCaptureFixture
) -> None:
    GivenIdentity(given.cert, given.key, NOW + 2 * YEAR)
    assert f"server.cert = {given.cert!r}: ended on" in caplog.text
