"""The administrators' pages about the sign-in policy, and emergency codes."""
