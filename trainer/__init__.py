"""Turns recordings into artifacts: loaders, networks, recipes. The server never imports it."""

import stream.model  # noqa: F401  before ONNX Runtime is loaded: see there
