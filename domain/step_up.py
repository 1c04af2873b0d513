"""What asks for the password again and a one-time code besides the signatures of a batch (`domain.batch.Step`)."""

from enum import StrEnum

from domain.actor import Post


class Decision(StrEnum):
    """What moves public money, or gives it up, and is no signature of a batch. Each by the name that a step-up names
    it by; what it is about goes with it. Saying no asks for nothing: it stops money."""

    APPROPRIATION = "appropriation.confirm"
    TRANSFER = "fund_transfer.confirm"
    #: A bank file leaves with a person: nothing stops its payments from there on.
    CARRY = "bank_file.carry"
    #: The bank has a carried file, or has it not and its claims are payable again, or nobody can tell.
    FILE_WORD = "bank_file.confirm"
    RESEND = "bank_file.resend"
    #: What became of a payment of which the bank cannot tell.
    FATE = "attempt.decide"
    ACCOUNT = "account.confirm"
    DELEGATION = "delegation.confirm"
    WAIVER = "clawback.waive"
    ENFORCEMENT = "clawback.enforce"
    REPAYMENT = "repayment.confirm"
    CORRECTION = "amount_correction.confirm"


#: Whose signatures and decisions these are.
SIGNERS = (Post.MAKER, Post.CHECKER, Post.RELEASER)
PROVERS = (*SIGNERS, Post.REVIEWER, Post.FINANCE_SIGNER)
