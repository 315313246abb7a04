"""Users: invited, moved, deactivated, handed over."""
