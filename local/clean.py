"""The first half of `make clean`: end what was left running, so that nothing outlives its data."""

import sys
from contextlib import ExitStack

from local import postgres
from local.deployment import alone
from local.environment import Home
from local.processes import StepFailed


def main() -> int:
    """End everything of every home; 1 while a run still uses one of them."""
    homes = [
        Home(),
        Home.of_real_venues(),
        Home.of_live_trading(),
        Home.of_tests(),
        Home.of_live_tests(),
    ]
    try:
        for home in homes:
            if home.path.exists():
                _quiet(home)
    except StepFailed as fault:
        print(fault)
        return 1
    return 0


def _quiet(home: Home) -> None:
    with ExitStack() as cleanup:
        alone(home, cleanup)
        if home.postgres.exists():
            postgres.stop(home.postgres)


if __name__ == "__main__":
    sys.exit(main())
