"""Who is there, what they may do, and how much of it."""
