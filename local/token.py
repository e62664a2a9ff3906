"""`make token`: one token of the local issuer alone on standard output, for the deployment at home.

It needs the key file only, so it works while `make run` is up and while it is not.

Environment:
    SCOPES: separated by spaces; `admin` unless told.
    WALLET: the 0x address that the token speaks for; none unless told.
    HOURS: how long it is valid, 12 unless told, 720 at most.
    VENUES, MODE: as for `make run`: which deployment's token it is.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping

from local.choice import BadChoice, Choice
from local.environment import Home
from local.issuer import SCOPES, Issuer

_MOST_HOURS = 720


class BadRequest(Exception):
    """The message says which variable is unusable."""


def main() -> int:
    """Print the token; 2 where a variable is unusable."""
    try:
        print(token(os.environ))
    except (BadRequest, BadChoice) as fault:
        print(fault, file=sys.stderr)
        return 2
    return 0


def token(
    environment: Mapping[str, str], home_of: Callable[[Choice], Home] = lambda choice: choice.home
) -> str:
    """What the environment asks for.

    Args:
        home_of: where that deployment lives.

    Raises:
        BadRequest, BadChoice: a variable is unusable.
    """
    scopes = environment.get("SCOPES", "").split() or ["admin"]
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise BadRequest(f"SCOPES: {' '.join(unknown)} is none of {' '.join(SCOPES)}")
    wallet = environment.get("WALLET", "")
    if wallet and not re.fullmatch("0x[0-9a-fA-F]{40}", wallet):
        raise BadRequest(f"WALLET: {wallet!r} is not 0x and 40 hexadecimal digits")
    home = home_of(Choice.from_environment(environment))
    seconds = 3600 * _hours(environment.get("HOURS") or "12")
    return Issuer.of(home).token(scopes=scopes, wallet=wallet, seconds=seconds)


def _hours(told: str) -> float:
    try:
        hours = float(told)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= _MOST_HOURS:
        raise BadRequest(f"HOURS: {told!r} is not a number above 0 and up to {_MOST_HOURS}")
    return hours


if __name__ == "__main__":
    sys.exit(main())
