"""What sensor apps send, understood: a module an app, and what their messages have in common."""
