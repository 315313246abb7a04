"""The first page after logging in."""
