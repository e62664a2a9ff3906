"""The process that function instances are forked from, so that a cold start takes milliseconds.

It has imported the handlers and awslambdaric's parts, opened nothing and read no setting. A line of
JSON on its standard input says the environment of the next instance; the instance runs the real
handler behind awslambdaric's loop. All of them end with it.
"""

import ctypes
import faulthandler
import json
import os
import random
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.faults import sabotage
from tests.faults.points import GATE, load_product, watched_handler

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
FUNCTIONS = ("route_execute", "reconcile", "market_sync")


def main() -> None:
    """Fork an instance for each line, until there are no more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps them
    load_product()
    from agent_where.venues import registry  # noqa: PLC0415 now that its clocks are set

    registry.LIVE = registry.LIVE | {"OSTIUM"}
    from agent_where import trading  # noqa: PLC0415

    vars(trading)["LIVE"] = registry.LIVE
    for name in FUNCTIONS:
        module = import_module(f"functions.{name}.app")
        vars(module)["handler"] = watched_handler(name, module.handler)
    _warm_up()
    sabotage.commit(sys.argv[1])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        told = json.loads(line)
        if os.fork() == 0:
            _become(told)


def _warm_up() -> None:
    """Import what instances import when they first need it; none of it opens anything yet."""
    import boto3  # noqa: PLC0415
    from awslambdaric import (  # noqa: F401, PLC0415 all but what reads the address
        lambda_context,
        lambda_runtime_log_utils,
        lambda_runtime_marshaller,
    )

    from agent_where.execution import keys, signers  # noqa: F401, PLC0415

    boto3.client(
        "sqs",
        "us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def _become(told: dict[str, Any]) -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(told["environment"])
    log = os.open(Path(told["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    faulthandler.register(signal.SIGUSR1, file=2)  # the harness asks one that is silent
    from tests.faults import second_venue  # noqa: PLC0415

    if told["second_venue"]:
        second_venue.enlist(told["second_venue"])
    random.seed(0)  # botocore's pauses between its tries
    GATE.skew = told["skew"]
    GATE.open(told["gate"], told["instance"])
    from awslambdaric import bootstrap, lambda_runtime_client  # noqa: PLC0415 reads the address

    client = lambda_runtime_client.LambdaRuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
    bootstrap.run(f"functions.{told['function']}.app.handler", client)


if __name__ == "__main__":
    main()
