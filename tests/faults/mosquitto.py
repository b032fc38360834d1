"""A Mosquitto on the settings that ship, with no more than its port and its paths replaced."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stream.tls.certificates import issue, make_authority, public_pem
from tests.conftest import Broker

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
PASSWORD = "the same for all"  # noqa: S105
USERS = ("gaitway", "home", *(f"p{i}" for i in range(1000)))


class ShippedBroker(Broker):
    """`deploy/mosquitto` as it is; its users are gaitway, home, and the phones p0 to p999."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.url = f"mqtts://gaitway@127.0.0.1:{self.port}"
        self.ca = folder / "certs" / "ca.pem"
        self._home = folder
        shutil.copy(DEPLOY / "acl", folder / "acl")
        _make_passwords(folder / "passwd")
        _make_certificates(folder / "certs")

    def url_of(self, user: str, port: int | None = None) -> str:
        """Return where a user connects, by `port` if there is a proxy."""
        return f"mqtts://{user}@127.0.0.1:{port or self.port}"

    def words(self, folder: Path) -> str:
        """Return the settings that ship, with port and paths replaced."""
        words = (DEPLOY / "mosquitto.conf").read_text()
        for shipped, ours in (
            ("/etc/mosquitto/", f"{self._home}/"),
            ("/var/lib/mosquitto/", f"{folder}/"),
            ("listener 8883", f"listener {self.port}"),
        ):
            assert shipped in words
            words = words.replace(shipped, ours)
        return words


def _make_passwords(path: Path) -> None:
    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip("mosquitto_passwd is not installed")
    path.write_text("".join(f"{user}:{PASSWORD}\n" for user in USERS))
    subprocess.run([program, "-U", str(path)], check=True)


def _make_certificates(folder: Path) -> None:
    folder.mkdir()
    now = datetime.now(UTC)
    authority = make_authority("a test", now)
    pem = issue(authority, ["127.0.0.1"], now).pem()
    (folder / "ca.pem").write_bytes(public_pem(authority.certificate))
    for name in ("broker.pem", "broker.key"):
        (folder / name).write_bytes(pem)
