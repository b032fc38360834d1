"""What `gaitway bench model` found, and on what machine, as figures; `--json` writes them."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from stream.errors import ParameterError
from trainer.bench.timing import Speed

PACKAGES = ("gaitway", "onnxruntime", "numpy", "tensorflow", "keras")


class Machine(msgspec.Struct, frozen=True):
    """Where it ran, and with what."""

    cpu: str
    cores: int
    python: str
    versions: dict[str, str]  # package → version, of those that are installed


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    artifact: str  # recipe@hash
    threads: int
    rounds: int
    machine: Machine
    speeds: list[Speed]


def machine() -> Machine:
    """Describe this machine."""
    cores = os.cpu_count() or 1
    return Machine(_cpu(), cores, platform.python_version(), _versions())


def save(report: Report, path: Path) -> None:
    """Write the figures as JSON; raises ParameterError."""
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    except OSError as error:
        raise ParameterError(f"--json {path}: cannot be written: {error.strerror}") from error


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cpu() -> str:
    """Return the processor's name; `platform` knows only its family on Linux and macOS."""
    try:
        if platform.system() == "Darwin":
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.check_output(command, text=True).strip()  # noqa: S603
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except (OSError, subprocess.CalledProcessError):
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
