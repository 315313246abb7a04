"""What an organisation asks of its people's logins, beyond what the product asks of everybody."""
