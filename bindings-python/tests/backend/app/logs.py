"""The backend's logging: one line of JSON for each record, and errors also to those who are on duty."""

import json
import logging
import logging.config
import os

PAGED = os.environ.get("BACKEND_PAGED", os.devnull)
"""The file that stands for the error tracker."""


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {"level": record.levelname, "logger": record.name, "text": record.getMessage(), "worker": os.getpid()}
        return json.dumps(fields)


class OnlyOurs(logging.Filter):
    """Drops the records of libraries."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.name.startswith("app.")


def configure() -> None:
    everything = {"formatter": "json", "filters": ["ours"]}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": JsonLines}},
            "filters": {"ours": {"()": OnlyOurs}},
            "handlers": {
                "console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", **everything},
                "duty": {"class": "logging.FileHandler", "filename": PAGED, "level": "ERROR", **everything},
            },
            "root": {"handlers": ["console", "duty"], "level": "INFO"},
            "loggers": {"app.patterns.circuit_breaker": {"level": "DEBUG"}},
        }
    )
