"""A backend with three AI providers behind circuit breakers, to be broken and healed by hand.

The rooms, from the outside in: `__main__` and `story` start everything, `processes` keeps the processes,
`backend` answers HTTP, `failover` goes from provider to provider, `clients` speak to one provider, and
`provider` is the program at the other end of the wire.
"""
