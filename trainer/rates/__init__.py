"""How stable predictions are when the same movement arrives as another stream."""
