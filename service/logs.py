"""Logs: one JSON object a line, on stderr. They carry ids of rows, never people's data."""

import logging
import sys

import structlog

from service.settings import settings

#: One list for the whole life of a process: a logger that was used keeps the one it met.
_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(ensure_ascii=False),
]


def configure() -> None:
    """Set up logging for this process."""
    level = logging.getLevelNamesMapping()[settings().log_level]
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


log: structlog.stdlib.BoundLogger = structlog.get_logger()
