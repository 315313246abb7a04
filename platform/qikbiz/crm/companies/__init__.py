"""Companies: organisations that the customer does business with."""
