"""What breaks promise 9, as `tests/service/test_audit.py` plants it: promise, table, row (None: any), statement."""

PLANTED_IN_MONEY = {
    "money out of nothing": (
        "money_conserved",
        "fund_positions",
        None,
        "UPDATE fund_positions SET free_fen = free_fen + 1, appropriated_fen = appropriated_fen + 1",
    ),
    "a position that does not add up": (
        "money_conserved",
        "fund_positions",
        None,
        "UPDATE fund_positions SET appropriated_fen = appropriated_fen + 1",
    ),
    "a movement of another amount": (
        "money_conserved",
        "fund_positions",
        None,
        "UPDATE fund_movements SET amount_fen = amount_fen + 1 WHERE claim_id = :paid AND kind = 'pay'",
    ),
    "money taken from where it was not": (
        "money_conserved",
        "fund_movements",
        None,
        """INSERT INTO fund_movements (position_id, claim_id, kind, source, target, amount_fen, actor_name, at)
           SELECT p.id, c.id, way.*, c.amount_fen, 'nobody', now() FROM fund_positions p, claims c,
                  (VALUES ('release', 'reserved', 'free'), ('reserve', 'free', 'reserved')) AS way
            WHERE c.id = :open""",
    ),
    "money held for nobody's claim": (
        "money_conserved",
        "fund_positions",
        None,
        "DELETE FROM fund_reservations WHERE claim_id = :payable",
    ),
    "money that the ledger holds elsewhere": (
        "money_conserved",
        "fund_reservations",
        None,
        """WITH other AS (UPDATE fund_reservations SET pot = 'paid' WHERE claim_id = :payable)
           UPDATE fund_reservations r SET pot = 'reserved', amount_fen = o.amount_fen
             FROM fund_reservations o WHERE r.claim_id = :paid AND o.claim_id = :payable""",
    ),
    "a claim that stands where its money is not": (
        "money_conserved",
        "claims",
        "payable",
        "UPDATE claims SET status = 'withdrawn' WHERE id = :payable",
    ),
    "money held of another amount": (
        "money_conserved",
        "claims",
        "payable",
        "UPDATE claims SET amount_fen = amount_fen + 1 WHERE id = :payable",
    ),
    "money on its way to no bank": (
        "money_conserved",
        "claims",
        "payable",
        """WITH sent AS (UPDATE payment_attempts SET status = 'sent' WHERE id = :void)
           UPDATE claims SET status = 'batched' WHERE id = :payable""",
    ),
    "a claim paid by another fund than holds its money": (
        "money_conserved",
        "payment_attempts",
        None,
        "UPDATE batches SET fund = 'special_account' WHERE id = :batch",
    ),
    "an appropriation counted otherwise than proposed": (
        "money_conserved",
        "appropriations",
        None,
        "UPDATE appropriations SET year = year - 1",
    ),
    "an appropriation counted though it was declined": (
        "money_conserved",
        "appropriations",
        None,
        "UPDATE appropriation_answers SET answer = 'declined', reason = 'x'",
    ),
    "money taken back as if it had been granted": (
        "money_conserved",
        "appropriations",
        None,
        "UPDATE appropriations SET amount_fen = -amount_fen",
    ),
    "a line dated into a month that was over": (
        "statement_adds_up",
        "fund_positions",
        None,
        "UPDATE fund_movements SET at = at - interval '40 days' WHERE claim_id = :paid AND kind = 'pay'",
    ),
    "a position that no statement comes to": (
        "statement_adds_up",
        "fund_positions",
        None,
        "UPDATE fund_positions SET free_fen = free_fen + 1, appropriated_fen = appropriated_fen + 1",
    ),
    "a transfer of which one leg is gone": (
        "money_conserved",
        "fund_positions",
        None,
        "DELETE FROM fund_movements WHERE kind = 'transfer_in'",
    ),
    "a transfer whose legs differ": (
        "money_conserved",
        "fund_transfers",
        None,
        "UPDATE fund_transfers SET amount_fen = amount_fen + 1",
    ),
    "a transfer that went elsewhere than was agreed": (
        "money_conserved",
        "fund_transfers",
        None,
        "UPDATE fund_transfers SET target_year = target_year + 1",
    ),
    "a transfer that nobody confirmed": (
        "money_conserved",
        "fund_transfers",
        None,
        "UPDATE fund_transfer_answers SET answer = 'declined', reason = 'x'",
    ),
    "a transfer confirmed by a user who is another": (
        "money_conserved",
        "fund_transfers",
        None,
        "UPDATE fund_transfer_answers SET answered_by = (SELECT proposed_by FROM fund_transfers)",
    ),
    "one human as proposer and confirmer": (
        "money_conserved",
        "appropriations",
        None,
        """UPDATE people SET merged_into = (SELECT answered_by_person FROM appropriation_answers)
            WHERE id = (SELECT proposed_by_person FROM appropriation_answers)""",
    ),
}
