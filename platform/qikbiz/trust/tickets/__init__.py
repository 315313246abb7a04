"""Questions to us: a form or a mail becomes a ticket, and the answers go and come by mail (promise P20)."""
