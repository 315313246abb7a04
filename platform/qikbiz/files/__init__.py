"""Files at rest: each one encrypted under a key of its own, in a folder. May import kernel."""
