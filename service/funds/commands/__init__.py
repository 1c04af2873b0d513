"""What is done with funds, one verb a module: money comes, goes elsewhere, is held for claims, and follows them."""

from service.funds.commands.appropriate import (
    confirm_appropriation,
    decline_appropriation,
    propose_appropriation,
)
from service.funds.commands.hold import Due, follow, lasting, repay, reserve
from service.funds.commands.load import load_funds
from service.funds.commands.set_aside import adjust, give_back, set_aside
from service.funds.commands.transfer import confirm_transfer, decline_transfer, propose_transfer

__all__ = [
    "Due",
    "adjust",
    "confirm_appropriation",
    "confirm_transfer",
    "decline_appropriation",
    "decline_transfer",
    "follow",
    "give_back",
    "lasting",
    "load_funds",
    "propose_appropriation",
    "propose_transfer",
    "repay",
    "reserve",
    "set_aside",
]
