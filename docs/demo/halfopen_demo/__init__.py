"""A backend with three AI providers behind an orchestrator, for breaking and healing them by hand.

The modules, from the outside in: `__main__` and `scenario` start everything, `processes` manages the processes,
`backend` answers HTTP, `streaming` streams tokens, `services` has the orchestrator, `clients` calls one provider, and
`provider` is the simulated provider.
"""
