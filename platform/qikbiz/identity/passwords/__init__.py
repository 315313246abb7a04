"""Passwords: how they are stored, compared, judged and set."""
