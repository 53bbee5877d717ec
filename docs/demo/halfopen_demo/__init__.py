"""A backend with three AI providers behind circuit breakers, for breaking and healing them by hand.

The modules, from the outside in: `__main__` and `scenario` start everything, `processes` manages the processes,
`backend` answers HTTP, `failover` tries one provider after the other, `clients` calls one provider, and
`provider` is the simulated provider.
"""
