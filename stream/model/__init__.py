"""The artifact, and how windows of all devices get their predictions from it."""
