"""Re-exports the module, as the backend's package did."""

from .circuit_breaker import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerState

__all__ = ["CircuitBreaker", "CircuitBreakerConfig", "CircuitBreakerState"]
