"""Read batches: what is due, what they hold, and what stands between them and the bank."""

from service.batches.queries.batches import (
    Attempt,
    attempts_in,
    debit_account,
    each_payment_line,
    find_batch,
    list_batches,
    list_lines,
    live_attempt,
    locked_batch,
    payment_lines,
    signers_of,
    statuses_in,
    transferred_on,
    view_of,
    visible_to,
)
from service.batches.queries.checks import as_checked, beside, checks_with
from service.batches.queries.content import content_of, funds_of, rechecks_of, sample_of
from service.batches.queries.desk import (
    Waiting,
    find_progress,
    list_delegations,
    live_hold,
    progress,
    standing_in,
    waits_for,
)
from service.batches.queries.due import due_to, filter_of, let_through, list_due, stored_filter
from service.batches.queries.files import find_file, last_resent_at
from service.batches.queries.views import Batch

__all__ = [
    "Attempt",
    "Batch",
    "Waiting",
    "as_checked",
    "attempts_in",
    "beside",
    "checks_with",
    "content_of",
    "debit_account",
    "due_to",
    "each_payment_line",
    "filter_of",
    "find_batch",
    "find_file",
    "find_progress",
    "funds_of",
    "last_resent_at",
    "let_through",
    "list_batches",
    "list_delegations",
    "list_due",
    "list_lines",
    "live_attempt",
    "live_hold",
    "locked_batch",
    "payment_lines",
    "progress",
    "rechecks_of",
    "sample_of",
    "signers_of",
    "standing_in",
    "statuses_in",
    "stored_filter",
    "transferred_on",
    "view_of",
    "visible_to",
    "waits_for",
]
