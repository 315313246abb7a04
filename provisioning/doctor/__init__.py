"""`qikbiz doctor`: look at every server, right, queue and clock, and say in plain words what to do."""

from provisioning.doctor.checks import Check, Examination, examine

__all__ = ["Check", "Examination", "examine"]
