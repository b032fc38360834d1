"""How fast models are, side by side in one run."""
