"""Every breach that is planted elsewhere than beside the audit's own test."""

from tests.service.planted_batches import PLANTED_IN_BATCHES
from tests.service.planted_decisions import PLANTED_IN_DECISIONS
from tests.service.planted_money import PLANTED_IN_MONEY
from tests.service.planted_promises import PLANTED_IN_PROMISES

ELSEWHERE = PLANTED_IN_BATCHES | PLANTED_IN_DECISIONS | PLANTED_IN_MONEY | PLANTED_IN_PROMISES
