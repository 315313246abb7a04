"""Illegitimate use: events with the client's address, a limiter that answers at once, scores and decisions."""
