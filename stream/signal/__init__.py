"""Samples at any rate to windows of a steady grid, and what is wrong with them. Pure."""
