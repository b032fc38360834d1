"""The server unpickles nothing: whoever could write such a file would run code in it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.layers import Sources, read

ROOT = Path(__file__).parents[2]
PICKLES = {"pickle", "_pickle", "cPickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}
NUMPY_READS = {"load", "allow_pickle"}  # a file that is an array, or else a pickle
# All of the server is loaded, and started with its model and journal; then it says what came along.
PROGRAM = """
import asyncio, pkgutil, sys

def hear(event, _args):
    if event == "pickle.find_class":
        raise SystemExit("something was unpickled")

sys.addaudithook(hear)
import stream
for module in pkgutil.walk_packages(stream.__path__, "stream."):
    __import__(module.name)
from stream import config, service

async def start():
    own = config.Auth(tokens=sys.argv[1] + "/tokens.json")
    options = config.Config(
        server=config.Server(port=0), journal=config.Journal(path=""), auth=own
    )
    async with service.running(options):
        print(*sys.modules)

asyncio.run(start())
"""


def unpickling(sources: Sources) -> list[str]:
    """Return one line for each import, call or option by which something may be unpickled."""
    found = []
    for module, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name.split(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [str(node.module).split(".")[0]]
            found += [f"{module} imports {name}" for name in names if name in PICKLES]
            if isinstance(node, ast.keyword) and node.arg in NUMPY_READS:
                found.append(f"{module}: {node.arg}")
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {"np.load", "numpy.load"}:
                found.append(f"{module}: np.load")
    return found


def test_neither_server_nor_clients_unpickle() -> None:
    assert unpickling(read(ROOT, "stream", "clients")) == []


@pytest.mark.parametrize(
    "source",
    [
        *("import pickle", "from joblib import load", "def late():\n    import dill.settings"),
        *("import marshal as m", "from shelve import open", "np.load(path)"),
        "read(path, allow_pickle=True)",
    ],
)
def test_each_way_would_be_seen(source: str) -> None:
    assert len(unpickling({"stream.hub": source})) == 1


def test_a_server_that_runs_has_loaded_nothing_that_unpickles(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "onnxruntime" in loaded
    # NumPy imports pickle, and Python's own imports marshal; neither is used for files.
    assert loaded & PICKLES <= {"pickle", "_pickle", "marshal"}
    assert not loaded & {"tensorflow", "keras", "sklearn", "trainer"}
