"""The settings that the backend reads from its environment."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from app.patterns import CircuitBreakerConfig


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="BACKEND_", env_nested_delimiter="__")

    breaker: CircuitBreakerConfig = CircuitBreakerConfig()
    providers: list[str] = ["gemini", "openai"]

    def breaker_of(self, provider_id: str) -> CircuitBreakerConfig:
        return self.breaker.model_copy(update={"name": f"provider_{provider_id}"})
