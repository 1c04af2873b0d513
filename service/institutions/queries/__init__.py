"""What is asked about institutions: how each stands on a day, its record, rounds of selection."""

from service.institutions.queries.standing import Institution, histories_of, institution_with, scope_on, standings

__all__ = ["Institution", "histories_of", "institution_with", "scope_on", "standings"]
