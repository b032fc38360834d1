"""Gaitway's server: samples go in; windows, predictions and activity events come out."""

from importlib.metadata import version

__version__ = version("gaitway")
