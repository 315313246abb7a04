"""The organisation itself: what it is called, how its pages look, and what its people take for granted."""
