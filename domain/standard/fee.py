"""The subsidy within what the claimant paid, where policy says so."""

from domain.money import Fen


def capped_by_fee(amount_fen: Fen, fee_fen: Fen) -> Fen:
    """The amount, or what was paid where that is less, in whole yuan as every amount is.

    A fee of 999.60 yuan gives 999: half up would give more than was paid.
    """
    return min(amount_fen, fee_fen // 100 * 100)
