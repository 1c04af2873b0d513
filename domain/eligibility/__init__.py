"""The rules of a claim: facts in, a decision out. One implementation for filing, rosters, recheck and audit.

A decision holds every rule's outcome, so that it can be explained, and is a function of its facts alone, so that it
can be computed again from what was stored (promise 16). Facts hold no personal data.
"""

from domain.eligibility.decision import RULES, RULES_VERSION, Rule, decide, rules_in
from domain.eligibility.facts import (
    AgeFacts,
    AllowanceFacts,
    ClassFacts,
    ContractFacts,
    EarlierClaim,
    Facts,
    FeeFacts,
    GroupFacts,
    InstitutionFacts,
    ItemFacts,
    MandateFacts,
    Parameters,
    ProjectFacts,
    StandardFacts,
    StandingClaim,
    once_in,
)
from domain.eligibility.of_class import taught_in
from domain.eligibility.outcome import Decision, Outcome, Result, Verdict
from domain.eligibility.payment import amount_due

__all__ = [
    "RULES",
    "RULES_VERSION",
    "AgeFacts",
    "AllowanceFacts",
    "ClassFacts",
    "ContractFacts",
    "Decision",
    "EarlierClaim",
    "Facts",
    "FeeFacts",
    "GroupFacts",
    "InstitutionFacts",
    "ItemFacts",
    "MandateFacts",
    "Outcome",
    "Parameters",
    "ProjectFacts",
    "Result",
    "Rule",
    "StandardFacts",
    "StandingClaim",
    "Verdict",
    "amount_due",
    "decide",
    "once_in",
    "rules_in",
    "taught_in",
]
