"""Which tenant is this, and how nobody else's rows can be reached."""
