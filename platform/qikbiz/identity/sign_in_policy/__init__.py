"""What an organisation asks of its users' sign-ins, beyond what the product asks of everybody: the rules in force."""
