"""Which lines of a published table are not shown, so that nobody is known by them.

Behind few claims stand few, recognisable persons. One hidden line could be had by subtracting the others from the
total, and two that are one claim each could be told from a sum of two: so further lines, the smallest, are hidden
until at least two are and `least` claims stand behind them together.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

#: A line over fewer claims than this is not shown to the public.
SHOWN_MIN = 5
#: What stands in the place of a figure that is not shown.
FEW = f"＜{SHOWN_MIN}"


def hidden(sizes: Mapping[K, int], least: int = SHOWN_MIN) -> frozenset[K]:
    """The keys that are not shown beside the total of all. A line over nothing says nothing and is always shown."""
    filled = sorted((key for key, size in sizes.items() if size), key=lambda key: (sizes[key], str(key)))
    few = [key for key in filled if sizes[key] < least]
    if not few:
        return frozenset()
    shown = filled[len(few) :]
    while shown and (len(few) < 2 or sum(sizes[key] for key in few) < least):
        few.append(shown.pop(0))
    return frozenset(few)
