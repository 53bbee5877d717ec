"""As the backend's own package re-exported it."""

from .circuit_breaker import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerState

__all__ = ["CircuitBreaker", "CircuitBreakerConfig", "CircuitBreakerState"]
