"""The users of a workspace: invited, one by one or several at once, given roles, deactivated (promise P14)."""
