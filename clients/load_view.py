"""`gaitway load` in the terminal: a progress bar, then the figures."""

import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from clients import load
from clients.load_report import Report
from clients.server_process import ServerProcess, find_pid
from stream.errors import ParameterError

SPARE_FILES = 100  # open files besides one a phone


async def run_load(options: load.Load, pid: int | None, report_path: Path | None) -> Report:
    """Run, show and save; raises ClientError or ParameterError."""
    _allow_files(options.phones + SPARE_FILES)
    pid = pid or find_pid(options.url)
    process = ServerProcess(pid) if pid else None
    console = Console(stderr=True)
    with _progress(console) as progress:
        frames = options.phones * round(options.seconds / options.frame_s)
        bar = progress.add_task("connecting", total=frames, predictions=0)

        def tell(now: load.Progress) -> None:
            text = f"{now.connected:,} phones"
            progress.update(
                bar, description=text, completed=now.frames, predictions=now.predictions
            )

        report = await load.load(options, process, tell)
    if report_path is not None:
        _save(report, report_path)
    _print(report, Console())
    return report


def _save(report: Report, path: Path) -> None:
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    except OSError as error:
        raise ParameterError(f"--report {path}: cannot be written: {error.strerror}") from error


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[predictions]:,} predictions"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _print(report: Report, console: Console) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, value in _lines(report):
        table.add_row(name, value)
    console.print(table)
    if report.first_error:
        console.print(f"first error: {report.first_error}", style="red", markup=False)
    if report.lossless:
        console.print("every window came exactly once", style="green")
    else:
        console.print("something was lost", style="bold red")


def _lines(report: Report) -> list[tuple[str, str]]:
    latency, server = report.latency_ms, report.server
    used = "not found on this machine: pass --pid"
    if server is not None:
        used = f"{server.cpu_percent:.0f} % CPU, {server.rss_mb:.0f} MB (process {server.pid})"
        if server.growth_percent is not None:
            used += f", memory {server.growth_percent:+.1f} % since the first minute"
    return [
        ("phones", f"{report.phones:,} at {report.rate_hz:g} Hz, {report.encoding}"),
        ("frames", f"{report.frames:,} of {report.frame_s:g} s, {report.unacked} not acked"),
        ("windows", f"{report.expected:,} expected, {report.predictions:,} predictions"),
        ("lost", f"{report.missing} missing, {report.doubled} doubled, {report.extra} extra"),
        ("disconnected", f"{report.disconnected} phones; {report.errors} errors"),
        ("windows/s", f"{report.windows_per_s:,.0f}"),
        (
            "latency",
            f"p50 {latency.p50:.1f} ms, p95 {latency.p95:.1f} ms, p99 {latency.p99:.1f} ms, "
            f"worst {latency.max:.1f} ms",
        ),
        ("server", used),
        ("this client", f"{report.client_cpu_percent:.0f} % CPU, {report.behind_ms:.0f} ms behind"),
    ]


def _allow_files(wanted: int) -> None:
    """Raise this process's limit of open files; raises ParameterError where it may not."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (-1, resource.RLIM_INFINITY) and wanted > hard:
        raise ParameterError(f"{wanted} open files are needed, {hard} are allowed: `ulimit -Hn`")
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
