"""Closing an account: request, quote, export, check, a time to fetch everything, erasure with a certificate."""
