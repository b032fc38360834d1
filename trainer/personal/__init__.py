"""One person's own model: the last layer of an artifact, fitted to their labelled windows."""
