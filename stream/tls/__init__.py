"""What the server shows of itself by TLS."""
