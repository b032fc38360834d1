"""Turns recordings into artifacts: loaders, networks, recipes. The server never imports it."""
