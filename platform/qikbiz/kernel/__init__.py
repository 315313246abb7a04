"""What every other package stands on: errors, clock, database, permissions, actors. Imports nothing of the product."""
