"""The promises of the privacy statement, P1 to P20: how each is kept, and what a customer can see of it."""
