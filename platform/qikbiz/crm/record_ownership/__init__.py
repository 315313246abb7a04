"""Which records a user owns, and giving all of them to another user."""
