"""Which of the deployments on this machine is meant, as `make run` and `make token` are asked.

Environment:
    VENUES: `simulated` (default) or `mainnet`: the real venues are asked, trades stay on paper.
    MODE: `paper` (default) or `live`: orders are signed and sent to the simulated venues, Ostium's
        on a local chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from local.environment import Home


class BadChoice(Exception):
    """There is no such deployment; the message says which variable is unusable."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One deployment. No two share a home: neither prices nor trades of two may mix."""

    simulated: bool = True
    live: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """What is asked for. Raises BadChoice."""
        venues = environment.get("VENUES") or "simulated"
        mode = environment.get("MODE") or "paper"
        if venues not in ("simulated", "mainnet"):
            raise BadChoice(f"VENUES: must be simulated or mainnet, not {venues!r}")
        if mode not in ("paper", "live"):
            raise BadChoice(f"MODE: must be paper or live, not {mode!r}")
        if (venues, mode) == ("mainnet", "live"):
            raise BadChoice("MODE: live is for simulated venues here; deploy to AWS for real ones")
        return cls(simulated=venues == "simulated", live=mode == "live")

    @property
    def home(self) -> Home:
        """Where its state is."""
        if self.live:
            return Home.of_live_trading()
        return Home() if self.simulated else Home.of_real_venues()

    @property
    def words(self) -> str:
        """How it is asked for, with a blank before it; nothing for the default."""
        if self.live:
            return " MODE=live"
        return "" if self.simulated else " VENUES=mainnet"
