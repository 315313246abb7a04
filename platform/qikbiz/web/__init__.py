"""The front door: which host, which person, which right; then one room answers."""

from qikbiz.web.application import create_app

__all__ = ["create_app"]
