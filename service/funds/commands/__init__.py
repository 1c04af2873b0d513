"""What is done with funds, one verb a module: money comes, is held for claims, and follows them."""

from service.funds.commands.appropriate import (
    confirm_appropriation,
    decline_appropriation,
    propose_appropriation,
)
from service.funds.commands.hold import Due, follow, lasting, reserve
from service.funds.commands.load import load_funds

__all__ = [
    "Due",
    "confirm_appropriation",
    "decline_appropriation",
    "follow",
    "lasting",
    "load_funds",
    "propose_appropriation",
    "reserve",
]
