"""Processes that are kept running: forked or started, seen ending, begun again, and ended together."""

from config.supervision.children import Kept, describe_end, fork_child
from config.supervision.supervisor import NotKept, Supervisor

__all__ = ["Kept", "NotKept", "Supervisor", "describe_end", "fork_child"]
