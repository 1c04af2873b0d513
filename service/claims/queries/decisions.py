"""Decisions as they are stored, and computed again from what was stored (promise 16)."""

from typing import Any

import msgspec

from domain.eligibility import Decision, Facts, decide

#: The version of the rules since which a person may have to look.
_VERDICT_SINCE = 6


def stored_decision(facts: Facts, decision: Decision) -> dict[str, Any]:
    """What is kept of a decision: its facts, and what they gave."""
    return {"facts": msgspec.to_builtins(facts), **result_of(decision)}


def result_of(decision: Decision) -> dict[str, Any]:
    """The rules' version and each rule's own, what failed, the amount in fen, and the verdict (of three)."""
    result = {
        "rules_version": decision.rules_version,
        "rules": {each.rule: each.version for each in decision.outcomes},
        "failed": decision.failed,
        "amount_fen": decision.amount_fen,
    }
    return result if decision.rules_version < _VERDICT_SINCE else {**result, "verdict": str(decision.verdict)}


def stored_facts(decision: dict[str, Any]) -> Facts:
    """The facts of a stored decision. Raises msgspec's ValidationError or KeyError where they are not whole."""
    return msgspec.convert(decision["facts"], Facts)


def decided_again(decision: dict[str, Any]) -> Decision:
    """The decision computed again from its stored facts, by the rules of the version it was made under."""
    return decide(stored_facts(decision), decision["rules_version"])
