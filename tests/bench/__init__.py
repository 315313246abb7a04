"""Measurements beside a peer, in one run: `make bench`. Never part of the tests."""
