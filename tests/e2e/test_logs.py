"""The logs of the deployed functions, after a signal went all the way through them."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from local.stack import Stack
from tests.e2e.client import Client, signal

pytestmark = pytest.mark.e2e
Eventually = Callable[[Callable[[], bool], float], None]


def everything_said(stack: Stack) -> str:
    """The logs of all functions."""
    groups = stack.aws.logs.describe_log_groups()["logGroups"]
    pages = (
        page
        for group in groups
        for page in stack.aws.logs.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"]
        )
    )
    return "\n".join(event["message"] for page in pages for event in page["events"])


def test_no_log_of_any_function_holds_a_token_or_a_login(
    stack: Stack, client: Client, eventually: Eventually
) -> None:
    token = stack.issuer.token(scopes=("admin",), seconds=600)
    agent = client.agent("logged")
    client.follow(agent)
    answer = stack.call("POST", "/signals", signal(agent, "BTC"), token=token)
    assert answer.status == 202, answer
    refused = token[:-4] + "AAAA"
    assert stack.call("GET", "/agents", token=refused).status == 401
    eventually(lambda: stack.depth("Signal") == stack.depth("Order") == 0, 60)

    logs = everything_said(stack)
    password = urlsplit(stack.dsn).password

    assert password
    assert "signal taken in" in logs, "the functions' logs are not where this looks"
    for secret in (token, refused, *token.split("."), password):
        assert secret not in logs
