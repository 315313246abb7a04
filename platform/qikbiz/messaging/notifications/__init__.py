"""Notifications: what happened that a user should know, in the app and, if they like, by mail (promise P17)."""
