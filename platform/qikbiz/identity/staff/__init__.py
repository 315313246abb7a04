"""Platform operators, support agents and auditors: their logins, in the control database."""
