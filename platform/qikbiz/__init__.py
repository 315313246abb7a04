"""The product: one room for each noun."""
