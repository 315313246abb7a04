"""What ending a contract costs, the invoice for it, and its payment by Stripe (promise P13)."""
