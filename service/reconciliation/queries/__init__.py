"""Read return files, what of them waits for a person, and payments of which the bank cannot tell."""

from service.reconciliation.queries.files import find_return, list_returns
from service.reconciliation.queries.lines import (
    attempt_of_reference,
    batch_of_file,
    exception_of,
    exception_view,
    file_to_fetch,
    find_exception,
    known_return,
    list_exceptions,
    list_missing,
    open_count,
    unknown_references,
    view_of,
)
from service.reconciliation.queries.unknown import find_unknown, list_unknown

__all__ = [
    "attempt_of_reference",
    "batch_of_file",
    "exception_of",
    "exception_view",
    "file_to_fetch",
    "find_exception",
    "find_return",
    "find_unknown",
    "known_return",
    "list_exceptions",
    "list_missing",
    "list_returns",
    "list_unknown",
    "open_count",
    "unknown_references",
    "view_of",
]
