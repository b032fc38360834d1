"""The artifact, and how windows of all devices get their predictions from it."""

import os

# Else ONNX Runtime, which looks when it is loaded, gives this machine an id and tells its maker.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
