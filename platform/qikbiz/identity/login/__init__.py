"""Signing in: the pages, and the steps from a password, link, passkey or provider to an open session."""
