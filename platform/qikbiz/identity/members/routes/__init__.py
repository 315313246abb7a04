"""The administrators' pages about users, one module a subject; importing them opens their routes."""

from qikbiz.identity.members.blueprint import members
from qikbiz.identity.members.routes import user_page, user_sessions, users

__all__ = ["members", "user_page", "user_sessions", "users"]
