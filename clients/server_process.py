"""Watches the server's process from outside: CPU time and memory. Needs it on this machine."""

import asyncio
import socket
import time
from urllib.parse import urlsplit

import psutil

from clients.load_report import ServerUse

LOOK_EVERY_S = 0.5
SETTLED_S = 60.0  # after which a server's memory should not grow any more


def find_pid(url: str) -> int | None:
    """Return the process of this machine that listens at the URL's port, if it can be seen."""
    parts = urlsplit(url)
    if parts.port is None or not _is_here(parts.hostname or ""):
        return None
    for process in psutil.process_iter():
        try:
            connections = process.net_connections(kind="tcp")
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        if any(c.status == psutil.CONN_LISTEN and c.laddr.port == parts.port for c in connections):
            return int(process.pid)
    return None


def _is_here(host: str) -> bool:
    try:
        address = socket.gethostbyname(host)
    except OSError:
        return False
    return address.startswith("127.") or address == "0.0.0.0"  # noqa: S104  compared, not bound


class ServerProcess:
    """A process and what it has used since `begin`."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._rss = 0  # largest seen
        self._newest_rss = 0
        self._settled_rss: int | None = None
        self._began = (0.0, 0.0)
        self._now = (0.0, 0.0)
        self.begin()

    def begin(self) -> None:
        """Count from now on."""
        self._began = self._look()
        self._settled_rss = None

    async def watch(self) -> None:
        """Look again and again, until cancelled or the process is gone."""
        while psutil.pid_exists(self._process.pid):
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Look once."""
        self._now = self._look()
        if self._settled_rss is None and self._now[1] - self._began[1] >= SETTLED_S:
            self._settled_rss = self._newest_rss

    def use(self) -> ServerUse:
        """Return what was used between `begin` and the last look."""
        cpu_s, wall_s = (now - began for now, began in zip(self._now, self._began, strict=True))
        percent = 100 * cpu_s / wall_s if wall_s > 0 else 0.0
        return ServerUse(
            self._process.pid, round(percent, 1), round(self._rss / 1e6, 1), self._growth()
        )

    def _growth(self) -> float | None:
        settled = self._settled_rss
        return round(100 * (self._newest_rss / settled - 1), 2) if settled else None

    def _look(self) -> tuple[float, float]:
        try:
            with self._process.oneshot():
                times = self._process.cpu_times()
                self._newest_rss = self._process.memory_info().rss
                self._rss = max(self._rss, self._newest_rss)
        except psutil.NoSuchProcess:
            return self._now
        return (times.user + times.system, time.monotonic())
