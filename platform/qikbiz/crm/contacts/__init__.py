"""Contacts: the people whom the customer knows."""
