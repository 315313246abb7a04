"""The public pages: what this is, how data is kept apart, the way to one's own address."""
