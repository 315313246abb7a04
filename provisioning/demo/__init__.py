"""Two demo organisations with believable, invented data. For development only; production refuses it."""

from provisioning.demo.organisations import DemoLogin, DemoRefused, demo_logins, ensure_demo, is_demo

__all__ = ["DemoLogin", "DemoRefused", "demo_logins", "ensure_demo", "is_demo"]
