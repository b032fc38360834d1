"""Reads the imports of the code and says what breaks the layers, or grows too large."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

NOUNS, CORE, MODEL, SHELL, PROGRAM = range(5)
LAYERS = {
    "__init__": NOUNS,
    "errors": NOUNS,
    "events": NOUNS,
    "config": NOUNS,
    "config_words": NOUNS,
    "malformed": NOUNS,
    "folders": NOUNS,
    "labels": CORE,
    "tracker": CORE,
    "session": CORE,
    "devices": SHELL,
    "answering": SHELL,
    "record": SHELL,
    "hub": SHELL,
    "live": SHELL,
    "metrics": SHELL,
    "outbox": SHELL,
    "publish": SHELL,
    "logs": SHELL,
    "addresses": SHELL,
    "serving": SHELL,
    "stopping": SHELL,
    "token_cli": PROGRAM,
    "service": PROGRAM,
    "terminal": PROGRAM,
    "options": PROGRAM,
    "cli": PROGRAM,
    "wire.limits": CORE,
    "wire": CORE,
    "wire.binary": CORE,
    "wire.text": CORE,
    "wire.incoming": CORE,
    "sensor_apps": NOUNS,  # a docstring
    "sensor_apps.readings": CORE,
    "sensor_apps.dialects": CORE,  # all its modules
    "sensor_apps.splitter": CORE,
    "sensor_apps.ordering": CORE,
    "sensor_apps.join": CORE,
    "sensor_apps.normalise": CORE,
    "sensor_apps.intake": CORE,
    "signal": NOUNS,  # a docstring
    "signal.timeline": CORE,
    "signal.lowpass": CORE,
    "signal.resample": CORE,
    "signal.window": CORE,
    "signal.marks": CORE,
    "signal.quality": CORE,
    "signal.waveform": CORE,
    "model": NOUNS,  # a docstring
    "model.artifact": MODEL,
    "model.classifier": MODEL,
    "model.batcher": MODEL,
    "model.models": MODEL,
    "journal": NOUNS,  # a docstring
    "journal.entries": CORE,
    "journal.groups": CORE,
    "journal.records": CORE,
    "journal.pruning": SHELL,
    "journal.store": SHELL,
    "journal.journal": SHELL,
    "journal.archive": SHELL,
    "journal.history": SHELL,
    "journal.keeper": SHELL,
    "journal.recovery": SHELL,
    "access": NOUNS,  # a docstring
    "access.tokens": CORE,
    "access.bucket": CORE,
    "access.exposure": CORE,
    "access.token_file": SHELL,
    "access.throttle": SHELL,
    "access.visitor": SHELL,
    "access.gate": SHELL,
    "doors": NOUNS,  # a docstring
    "doors.answers": SHELL,
    "doors.apps": SHELL,
    "doors.face_up": SHELL,
    "doors.push": SHELL,
    "doors.headers": SHELL,
    "doors.connection": SHELL,
    "doors.ports": SHELL,
    "doors.tcp": SHELL,
    "doors.tcp_messages": SHELL,
    "doors.websocket": SHELL,
    "doors.web": SHELL,
    "doors.trust": SHELL,
    "doors.http": SHELL,
    "mqtt": NOUNS,  # a docstring
    "mqtt.owed": CORE,
    "mqtt.publications": SHELL,
    "mqtt.client": SHELL,
    "mqtt.broker": SHELL,
    "mqtt.bridge": SHELL,
    "mqtt.receiver": SHELL,
    "mqtt.topics": SHELL,
    "dial": SHELL,  # all its modules
    "tls": NOUNS,  # a docstring
    "tls.certificates": SHELL,
    "tls.identity": SHELL,
}
WHOLE = ("sensor_apps.dialects", "dial")  # packages whose modules stand in the table as one
PURE_PACKAGES = {"numpy", "msgspec"}
IMPURE = {
    *("asyncio", "threading", "multiprocessing", "concurrent", "subprocess", "queue", "signal"),
    *("time", "sched", "logging", "random", "secrets", "uuid"),
    *("socket", "socketserver", "ssl", "select", "selectors", "http", "urllib", "ftplib"),
}
CLOCKS = {"now", "utcnow", "today"}
TRAINING = {"tensorflow", "keras", "sklearn", "matplotlib"}
CLIENTS_MAY = {
    *("stream", "stream.wire", "stream.wire.binary", "stream.wire.text", "stream.wire.incoming"),
    *("stream.events", "stream.errors", "stream.config", "stream.folders", "stream.malformed"),
    "stream.mqtt.client",
}
MAX_FUNCTION, MAX_FILE = 50, 250  # lines

Sources = dict[str, str]  # module → source, as in {"stream.wire": "import re"}


def read(root: Path, *packages: str) -> Sources:
    """Return the source of every module of `packages` under `root`."""
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            found[".".join(path.relative_to(root).with_suffix("").parts)] = path.read_text("utf-8")
    return found


def broken_layers(sources: Sources) -> list[str]:
    """Return one line for each import that the layers forbid."""
    found = []
    known = {name.removesuffix(".__init__") for name in sources}
    for module, source in sources.items():
        tree = ast.parse(source)
        imports = set(_imports(module, tree, known))
        check = {"stream": _of_stream, "clients": _of_clients, "trainer": _of_trainer}
        reasons = [*check[module.split(".")[0]](module, imports), *_clocks(module, tree)]
        found += [f"{module}: {reason}" for reason in reasons]
    return found


def too_large(sources: Sources) -> list[str]:
    """Return one line for each function over 50 lines and each file over 250."""
    found = []
    for module, source in sources.items():
        lines = len(source.splitlines())
        if lines > MAX_FILE:
            found.append(f"{module}: {lines} lines, at most {MAX_FILE}")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > MAX_FUNCTION:
                    found.append(f"{module}.{node.name}: {lines} lines, at most {MAX_FUNCTION}")
    return found


def _imports(module: str, tree: ast.AST, known: set[str]) -> Iterator[str]:
    """Yield every module that `module` imports, wherever in it the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if _in_layers(inner) in LAYERS or inner in known else base


def _absolute(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def _of_stream(module: str, imports: set[str]) -> Iterator[str]:
    name = _in_layers(module)
    if name not in LAYERS:
        yield "is in no layer: add it to the table"
        return
    layer = LAYERS[name]
    for imported in sorted(imports):
        root = imported.split(".")[0]
        if root in {"trainer", "clients"}:
            yield f"imports {imported}: stream imports neither trainer nor clients"
        elif root == "stream" and LAYERS.get(_in_layers(imported), NOUNS) > layer:
            yield f"imports {imported}: imports point down only"
        elif layer <= CORE and root != "stream":
            yield from _impure(root, imported)
        yield from _training(root, imported)
        if root == "onnxruntime" and name != "model.classifier":
            yield f"imports {imported}: the inference runtime lives in classifier"


def _in_layers(module: str) -> str:
    """Return the name under which a module of `stream` stands in the table, if it does."""
    name = module.removesuffix(".__init__").removeprefix("stream").removeprefix(".") or "__init__"
    return next((package for package in WHOLE if f"{name}.".startswith(f"{package}.")), name)


def _of_clients(module: str, imports: set[str]) -> Iterator[str]:
    allowed = CLIENTS_MAY | ({"stream.service"} if module == "clients.demo" else set())
    for imported in sorted(imports):
        root = imported.split(".")[0]
        if root == "stream" and imported not in allowed:
            yield f"imports {imported}: of stream, clients know no more than CLIENTS_MAY"
        if root == "trainer" and not f"{imported}.".startswith("trainer.recordings."):
            yield f"imports {imported}: of trainer, clients know the recordings"
        yield from _training(root, imported)


def _of_trainer(_module: str, imports: set[str]) -> Iterator[str]:
    for imported in sorted(imports):
        root = imported.split(".")[0]
        if root == "clients":
            yield f"imports {imported}: trainer knows no clients"
        if root == "stream" and LAYERS.get(_in_layers(imported), PROGRAM) > MODEL:
            yield f"imports {imported}: of stream, trainer knows nouns, core and model"


def _impure(root: str, imported: str) -> Iterator[str]:
    allowed = root in PURE_PACKAGES or (root in sys.stdlib_module_names and root not in IMPURE)
    if not allowed or imported.startswith("numpy.random"):
        yield f"imports {imported}: the core knows no sockets, tasks, threads, clocks, logs or luck"


def _training(root: str, imported: str) -> Iterator[str]:
    if root in TRAINING:
        yield f"imports {imported}: only the trainer does"


def _clocks(module: str, tree: ast.AST) -> Iterator[str]:
    """Yield what reads a clock or draws numbers in the core without an import of its own."""
    if LAYERS.get(_in_layers(module), PROGRAM) > CORE:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in CLOCKS:
                yield f"calls {node.func.attr}(): the core knows no clock"
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "np.random":
            yield "uses np.random: the core knows no luck"
