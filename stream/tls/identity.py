"""The certificate that the server shows: Gaitway's own, kept in a folder, or the operator's.

Imported only where TLS is wanted: the libraries behind it take a while to load.
"""

import contextlib
import logging
import os
import socket
import ssl
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from stream import addresses, folders
from stream.config import Server
from stream.errors import ConfigError
from stream.tls import certificates
from stream.tls.certificates import Pair

AUTHORITY, SERVER = "authority.pem", "server.pem"  # certificate and key each
_ANEW = "delete it to have another made, which phones must then be told to trust"
log = logging.getLogger(__name__)


class Authority(NamedTuple):
    """What a phone installs, and what its owner compares."""

    pem: bytes
    fingerprint: str


class Identity:
    """What the server shows of itself.

    `name` is what phones must call it, where only that is in the certificate; `authority` is what
    they have to install, where that is Gaitway's own.
    """

    authority: Authority | None = None
    name = ""

    def __init__(self) -> None:
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)

    def renew(self, now: datetime) -> bool:
        """Show a newer certificate where one is needed; whether one was.

        Raises ConfigError where it can't be kept, and OSError, ssl.SSLError among them, where it
        can't be read again. The next call tries anew.
        """
        return False


class OwnIdentity(Identity):
    """A certificate for all of this machine's addresses, signed by an authority of our own.

    Both are kept in `folder`. The authority is made once and stays; the certificate is made anew
    when it nears its end or the machine has an address more.
    """

    def __init__(self, folder: Path, now: datetime) -> None:
        super().__init__()
        self._folder = folder
        self._signer = _authority(folder, now)
        certificate = self._signer.certificate
        self.authority = Authority(
            certificates.public_pem(certificate), certificates.fingerprint(certificate)
        )
        self._shown = _read_if_whole(folder / SERVER)
        if not self.renew(now):
            self.context.load_cert_chain(folder / SERVER)

    def renew(self, now: datetime) -> bool:
        """Make and show a newer certificate where one is needed; connections that stand stay."""
        names = addresses.of_machine()
        if self._shown and certificates.is_good(self._shown, self._signer, names, now):
            return False
        newer = certificates.issue(self._signer, names, now)
        with _kept_in(self._folder):
            _write(self._folder / SERVER, newer.pem())
        self.context.load_cert_chain(self._folder / SERVER)
        self._shown = newer  # only now: what failed is tried again
        return True


class GivenIdentity(Identity):
    """The operator's own certificate and key; raises ConfigError for what is wrong with them."""

    def __init__(self, cert: str, key: str, now: datetime) -> None:
        super().__init__()
        first = _certificate("server.cert", cert)
        _readable("server.key", key)
        try:
            self.context.load_cert_chain(cert, key, password=lambda: b"")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                what = f"server.cert = {cert!r}: is not the certificate of this key"
            else:
                what = "holds no private key in PEM without a password"
            raise ConfigError(f"server.key = {key!r}: {what}") from error
        if first.not_valid_after_utc <= now:
            log.warning("server.cert = %r: ended on %s", cert, first.not_valid_after_utc)
        names = certificates.names_of(first)
        self.name = next((name for name in names if "*" not in name), "")


def identity(server: Server) -> Identity | None:
    """Return what the server shows, or None where it shows nothing; raises ConfigError."""
    now = datetime.now(UTC)
    if server.cert:
        return GivenIdentity(server.cert, server.key, now)
    return OwnIdentity(folders.tls(), now) if server.https else None


def _authority(folder: Path, now: datetime) -> Pair:
    path = folder / AUTHORITY
    with _kept_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_new(path, certificates.make_authority(socket.gethostname(), now).pem())
        pem = path.read_bytes()
    try:
        made = Pair.read(pem)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: is damaged; {_ANEW}") from error
    if made.certificate.not_valid_after_utc - certificates.RENEWED_BEFORE <= now:
        raise ConfigError(f"{path}: ends on {made.certificate.not_valid_after_utc:%x}; {_ANEW}")
    public = folder / folders.authority().name
    with _kept_in(folder):
        _write(public, certificates.public_pem(made.certificate), mode=0o644)
    return made


def _read_if_whole(path: Path) -> Pair | None:
    """Read what can be made again at any time."""
    try:
        return Pair.read(path.read_bytes())
    except (OSError, ValueError, TypeError):
        return None


@contextlib.contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{folder}: certificates cannot be kept there: {error.strerror}; "
            "set XDG_DATA_HOME, or bring your own by --cert and --key"
        ) from error


def _write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write all of a file or nothing of it."""
    draft = _draft(path, content, mode)
    try:
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that must not change once it is there, whoever comes first."""
    draft = _draft(path, content, 0o600)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def _draft(path: Path, content: bytes, mode: int) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(content)
            file.flush()
            os.fsync(handle)
    except OSError:  # it would be left with each try
        Path(name).unlink()
        raise
    return Path(name)


def _readable(key: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{key} = {path!r}: cannot be read: {error.strerror}") from error


def _certificate(key: str, path: str) -> x509.Certificate:
    """Return the first certificate of a chain."""
    try:
        return x509.load_pem_x509_certificates(_readable(key, path))[0]
    except ValueError as error:
        raise ConfigError(f"{key} = {path!r}: holds no certificate in PEM") from error
