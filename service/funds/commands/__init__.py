"""What is done with funds, one verb a module: money comes, is held for claims, and follows them."""

from service.funds.commands.appropriate import (
    confirm_appropriation,
    decline_appropriation,
    propose_appropriation,
)
from service.funds.commands.hold import Due, follow, lasting, repay, reserve
from service.funds.commands.load import load_funds
from service.funds.commands.set_aside import adjust, give_back, set_aside

__all__ = [
    "Due",
    "adjust",
    "confirm_appropriation",
    "decline_appropriation",
    "follow",
    "give_back",
    "lasting",
    "load_funds",
    "propose_appropriation",
    "repay",
    "reserve",
    "set_aside",
]
