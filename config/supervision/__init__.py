"""Processes that are kept running: forked or started, watched, restarted when they end, and ended together."""

from config.supervision.children import Kept, die_with, execute, fork_child, name_process, redirect
from config.supervision.relay import LogRelay
from config.supervision.supervisor import NotKept, Supervisor

__all__ = [
    "Kept",
    "LogRelay",
    "NotKept",
    "Supervisor",
    "die_with",
    "execute",
    "fork_child",
    "name_process",
    "redirect",
]
