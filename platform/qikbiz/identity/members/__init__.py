"""One page for each user, inviting several at once, and handing over what somebody owns (promise P14)."""
