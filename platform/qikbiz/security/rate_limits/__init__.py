"""How often something may be tried: counted in Redis over a sliding window, in this process alone while Redis is away.

`limits.py` is the one limiter. `identity/accounts/throttles.py` says what it is asked for sign-ins, `trust/tickets` for
forms that anyone may send. `ip_reputation` scores networks with a script of its own, and shares `local_counters.py`.
"""
