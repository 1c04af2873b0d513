"""退回补正: what a claimant may be asked to mend, all of it named once."""

from enum import StrEnum


class Correctable(StrEnum):
    """A field of a claim that can be mended. Whose claim it is, through whom and in which district it was filed stay:
    those would be another claim."""

    ITEM_CODE = "item_code"
    LEVEL = "level"
    CERTIFICATE_NUMBER = "certificate_number"
    CERTIFICATE_ISSUED_ON = "certificate_issued_on"
    TRAINING_STARTED_ON = "training_started_on"
    ACCOUNT = "account"
