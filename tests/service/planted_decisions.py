"""What the audit must find in decisions and in the parameters they were made by: as `PLANTED` of `test_audit`."""

PLANTED_IN_DECISIONS: dict[str, tuple[str, str, str | None, str]] = {
    "a decision that says otherwise": (
        "decisions_recompute",
        "claims",
        "open",
        """UPDATE claims SET decision = jsonb_set(decision, '{failed}', '["age.under"]') WHERE id = :open""",
    ),
    "a decision over another amount": (
        "decisions_recompute",
        "claims",
        "open",
        "UPDATE claims SET decision = jsonb_set(decision, '{amount_fen}', '1') WHERE id = :open",
    ),
    "a claim over another amount than decided": (
        "decisions_recompute",
        "claims",
        "open",
        "UPDATE claims SET amount_fen = amount_fen - 1 WHERE id = :open",
    ),
    "a fact that was changed": (
        "decisions_recompute",
        "claims",
        "open",
        """UPDATE claims SET decision = jsonb_set(decision, '{facts,holder_is_payee}', 'false') WHERE id = :open""",
    ),
    "a decision by rules there never were": (
        "decisions_recompute",
        "claims",
        "open",
        "UPDATE claims SET decision = jsonb_set(decision, '{rules_version}', '99') WHERE id = :open",
    ),
    "a decision that nobody can read": (
        "decisions_recompute",
        "claims",
        "open",
        "UPDATE claims SET decision = '{}' WHERE id = :open",
    ),
    "a claim for a person to look at that the registry alone verified": (
        "held_and_sent_back_wait",
        "claims",
        "paid",
        """UPDATE claims SET decision = decision || '{"verdict": "needs_human"}' WHERE id = :paid""",
    ),
    "a parameter that two persons did not sign": (
        "parameters_by_two_persons",
        "policies",
        None,
        "UPDATE policy_confirmations SET person_id = proposer_id",
    ),
    "a parameter that was not confirmed so": (
        "parameters_by_two_persons",
        "policies",
        None,
        "UPDATE policies SET value = '13' WHERE proposal_id IS NOT NULL",
    ),
    "a proposal that was touched": (
        "parameters_by_two_persons",
        "policy_proposals",
        None,
        """WITH p AS (UPDATE policies SET value = '13' WHERE proposal_id IS NOT NULL)
           UPDATE policy_proposals SET value = '13'""",
    ),
    "days without a parameter": (
        "parameters_by_two_persons",
        "policies",
        None,
        """WITH p AS (UPDATE policies SET in_force = daterange('2099-02-01', NULL) WHERE proposal_id IS NOT NULL)
           UPDATE policy_proposals SET first = '2099-02-01'""",
    ),
}
