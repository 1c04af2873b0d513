"""What runs in a data directory, as written down by its supervisor and checked against the machine."""

from dataclasses import dataclass
from typing import Any

from service.local.data_dir import DataDir
from service.local.processes import is_same


@dataclass(frozen=True)
class StackStatus:
    """`address` is None while nothing is up. A part: name, pid (None when it does not run), state, restarts."""

    address: str | None
    parts: list[dict[str, Any]]

    def pid(self, name: str) -> int | None:
        """The process id of a part; None when it does not run or is not of this stack."""
        return next((part["pid"] for part in self.parts if part["name"] == name), None)


def read_status(place: DataDir) -> StackStatus:
    """The status of the stack in `place`; nothing ever ran there: no address, no parts.

    A part whose process is gone is `restarting` while its supervisor lives, and `stopped` after.
    """
    written = place.read_state()
    supervisor = written.get("supervisor", {})
    guarded = is_same(supervisor.get("pid"), supervisor.get("started"))
    parts = []
    for part in written.get("parts", []):
        alive = is_same(part["pid"], part["started"])
        state = "running" if alive else "restarting" if guarded and part["state"] != "stopped" else "stopped"
        pid = part["pid"] if alive else None
        parts.append({"name": part["name"], "pid": pid, "state": state, "restarts": part["restarts"]})
    return StackStatus(written.get("address") if guarded else None, parts)
