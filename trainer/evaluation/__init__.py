"""Recipes held against people whom they don't know: fold by fold, windows and streams."""
