"""What changes standards: propose a set, sign it, publish or drop it; load samples; review what is in force."""

from service.standards.commands.loading import load_samples
from service.standards.commands.proposing import propose
from service.standards.commands.publishing import drop, publish
from service.standards.commands.signing import sign

__all__ = ["drop", "load_samples", "propose", "publish", "sign"]
