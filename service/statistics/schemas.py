"""The headline share as it is asked for and answered."""

from datetime import date

from msgspec import Struct, field


class ShareView(Struct):
    """What individuals filed, of all that was filed: 0 to 1, four decimals; null where nothing was (or is shown)."""

    count: float | None
    amount: float | None


class ShareRowView(Struct):
    """One line of a breakdown. `count` and `amount_fen` (fen, as filed) are by channel, every channel named.

    `suppressed`: too few were filed for the public to be told; then there are no figures.
    """

    key: str
    name: str
    count: dict[str, int] | None
    amount_fen: dict[str, int] | None
    share: ShareView
    suppressed: bool


class ShareTotalView(Struct):
    count: dict[str, int]
    amount_fen: dict[str, int]
    share: ShareView


class IndividualShareView(Struct):
    """`sample`: the amounts rest on sample standards. `first` and `last` are written `from` and `to`."""

    first: date = field(name="from")
    last: date = field(name="to")
    by: str
    rows: list[ShareRowView]
    total: ShareTotalView
    definition: str
    sample: bool
