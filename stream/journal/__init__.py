"""One file that keeps what was acked and published, and a server that goes on from it."""
