"""Notifications: what happened that somebody should know, in the app and, if they like, by mail (promise P17)."""
