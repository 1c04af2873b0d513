"""What is done with the bank's word, and where it gives none."""

from service.reconciliation.commands.deciding import decide_attempt
from service.reconciliation.commands.resolving import resolve_line
from service.reconciliation.commands.returns import keep_unreadable, read, take_answers, take_return

__all__ = ["decide_attempt", "keep_unreadable", "read", "resolve_line", "take_answers", "take_return"]
