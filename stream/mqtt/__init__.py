"""The connection to a broker: frames in, messages out."""
