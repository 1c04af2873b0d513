"""What changes institutions: their record, their standing, their account, and rounds of selection."""

from service.institutions.commands.standing import impose, let_go, lift, list_institution, record_evaluation

__all__ = ["impose", "let_go", "lift", "list_institution", "record_evaluation"]
