"""What a deployment costs a month, from stated prices; run as a module, it writes docs/costs.md.

What there is (functions' memory, alarms, firewall rules) is read from the template; what a signal
takes is assumed, and said. Not a bill: free tiers, taxes and discounts are left out.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from local.environment import ROOT
from local.template import Template, expand, nested

DOCUMENT = ROOT / "docs" / "costs.md"
HOURS = Decimal(730)
MINUTES = HOURS * 60

# AWS's list prices in USD, us-east-1, as known in November 2026. Correct here, then `make costs`.
PRICES = {
    "Lambda, arm64, a GB-second": Decimal("0.0000133334"),
    "Lambda, a request": Decimal("0.0000002"),
    "API Gateway REST, a request": Decimal("0.0000035"),
    "WAF, a web ACL": Decimal(5),
    "WAF, a rule": Decimal(1),
    "WAF, a request": Decimal("0.0000006"),
    "SQS FIFO, a request": Decimal("0.0000005"),
    "KMS, a key": Decimal(1),
    "KMS, a request": Decimal("0.000003"),
    "KMS, a signature by an elliptic curve": Decimal("0.000015"),
    "CloudWatch, a GB of logs taken in": Decimal("0.50"),
    "CloudWatch, a GB of logs kept": Decimal("0.03"),
    "CloudWatch, a metric of our own": Decimal("0.30"),
    "CloudWatch, an alarm": Decimal("0.10"),
    "CloudWatch, a dashboard": Decimal(3),
    "X-Ray, a trace": Decimal("0.000005"),
    "Secrets Manager, a secret": Decimal("0.40"),
    "NAT gateway, an hour": Decimal("0.045"),
    "NAT gateway, a GB": Decimal("0.045"),
    "public IPv4 address, an hour": Decimal("0.005"),
    "interface endpoint, an hour in a zone": Decimal("0.01"),
    "RDS db.t4g.micro, an hour": Decimal("0.016"),
    "RDS db.t4g.small, an hour": Decimal("0.032"),
    "RDS db.m7g.large, an hour": Decimal("0.168"),
    "RDS gp3, a GB": Decimal("0.115"),
}

# What a signal takes: guessed, and rather too high.
FOLLOWERS = 3  # orders a signal
SECONDS = {"SignalIntake": "0.15", "Authorizer": "0.1", "signal": "0.2", "order": "0.6"}
SCHEDULED = {"MarketSync": (MINUTES / 5, "5"), "Reconcile": (MINUTES, "3")}
REQUESTS_A_MESSAGE = 3  # sent, received, deleted
IDLE_POLLS = 2 * 5 * 3 * MINUTES  # two queues, five pollers each, a poll takes 20 s
KEY_REQUESTS = 5 * 3 * 12 * HOURS  # functions, queues; SQS keeps a data key for five minutes
LOG_KB = Decimal("1.5")  # of one invocation, its figures included
VENUE_KB = Decimal(40)  # of one order, of prices and account
OUR_METRICS = 60
TRACED = Decimal("0.05")
KEPT_MONTHS = 3  # LogRetentionDays
SIGNALS = (0, 1_000, 100_000, 10_000_000)
CLASSES = {0: "micro", 1_000: "micro", 100_000: "micro", 10_000_000: "m7g.large"}
STORAGE_GB = {0: 20, 1_000: 20, 100_000: 20, 10_000_000: 200}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill, a month, in USD."""

    what: str
    usd: Decimal


@cache
def full() -> Template:
    """The whole template, expanded once."""
    return expand()


def memory_gb(template: Template, function: str) -> Decimal:
    """What the template gives the function."""
    return Decimal(template["Resources"][function]["Properties"]["MemorySize"]) / 1024


def number_of(kind: str) -> int:
    """How many of a type there are, in all templates."""
    every = (full(), *nested().values())
    return sum(
        resource["Type"] == kind for each in every for resource in each["Resources"].values()
    )


def functions(template: Template, signals: int) -> Iterator[tuple[Decimal, Decimal]]:
    """Invocations and GB-seconds of each kind of work."""
    worker = memory_gb(template, "RouteExecute")
    for name, (times, seconds) in SCHEDULED.items():
        yield times, times * Decimal(seconds) * memory_gb(template, name)
    many = Decimal(signals)
    for name in ("SignalIntake", "Authorizer"):
        yield many, many * Decimal(SECONDS[name]) * memory_gb(template, name)
    yield many, many * Decimal(SECONDS["signal"]) * worker
    yield many * FOLLOWERS, many * FOLLOWERS * Decimal(SECONDS["order"]) * worker


def always(signals: int) -> list[Line]:
    """Everything but network, database and users' keys."""
    template = full()
    work = list(functions(template, signals))
    invocations, gb_seconds = sum(each for each, _ in work), sum(each for _, each in work)
    messages = signals * (1 + FOLLOWERS)
    rules = len(template["Resources"]["Firewall"]["Properties"]["Rules"])
    price = PRICES
    return [
        Line(
            "functions",
            gb_seconds * price["Lambda, arm64, a GB-second"]
            + invocations * price["Lambda, a request"],
        ),
        Line("API", signals * price["API Gateway REST, a request"]),
        Line(
            "firewall",
            price["WAF, a web ACL"]
            + rules * price["WAF, a rule"]
            + signals * price["WAF, a request"],
        ),
        Line("queues", (IDLE_POLLS + messages * REQUESTS_A_MESSAGE) * price["SQS FIFO, a request"]),
        Line(
            "key of queues and logs",
            price["KMS, a key"] + KEY_REQUESTS * price["KMS, a request"],
        ),
        Line("logs", invocations * LOG_KB / 1_000_000 * a_gb_of_logs()),
        Line("metrics, alarms, dashboard", watching()),
        Line("traces", invocations * TRACED * price["X-Ray, a trace"]),
    ]


def a_gb_of_logs() -> Decimal:
    """Taken in, and kept for as long as the template says."""
    kept = KEPT_MONTHS * PRICES["CloudWatch, a GB of logs kept"]
    return PRICES["CloudWatch, a GB of logs taken in"] + kept


def watching() -> Decimal:
    """Metrics of our own, alarms, by the ten, and the dashboard."""
    tens = -(-number_of("AWS::CloudWatch::Alarm") // 10)
    alarms = tens * 10 * PRICES["CloudWatch, an alarm"]
    metrics = OUR_METRICS * PRICES["CloudWatch, a metric of our own"]
    return alarms + metrics + PRICES["CloudWatch, a dashboard"]


def network(signals: int) -> list[Line]:
    """A network of one's own: one NAT gateway, endpoints in two zones."""
    traffic_gb = Decimal(signals * FOLLOWERS) * VENUE_KB / 1_000_000 + 2
    hour = PRICES["NAT gateway, an hour"] + PRICES["public IPv4 address, an hour"]
    endpoints = sum(
        resource["Properties"].get("VpcEndpointType") == "Interface"
        for resource in nested()["network.yaml"]["Resources"].values()
        if resource["Type"] == "AWS::EC2::VPCEndpoint"
    )
    return [
        Line("NAT", HOURS * hour + traffic_gb * PRICES["NAT gateway, a GB"]),
        Line("endpoints", HOURS * 2 * endpoints * PRICES["interface endpoint, an hour in a zone"]),
    ]


def database(signals: int) -> list[Line]:
    """A database of one's own, in one zone."""
    size = CLASSES[signals]
    hour = PRICES[f"RDS db.{size if '.' in size else f't4g.{size}'}, an hour"]
    keys = PRICES["KMS, a key"] + PRICES["Secrets Manager, a secret"]
    return [
        Line("database", HOURS * hour + STORAGE_GB[signals] * PRICES["RDS gp3, a GB"]),
        Line("its key and secret", keys),
    ]


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Markdown."""
    lines = [head, ("---",) + ("--:",) * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def usd(amount: Decimal) -> str:
    """To the cent, from a thousand on to the dollar."""
    return f"{amount:,.0f}" if amount >= 1000 else f"{amount:,.2f}"


def bill() -> str:
    """The table of everything, by signals a month."""
    columns = [(always(each), network(each), database(each)) for each in SIGNALS]
    rows = []
    for part in range(3):
        for line in range(len(columns[0][part])):
            told = [column[part][line] for column in columns]
            rows.append((told[0].what, *(usd(each.usd) for each in told)))
    sums = [[sum((each.usd for each in part), Decimal(0)) for part in column] for column in columns]
    rows.append(("**without NAT, endpoints and RDS**", *(f"**{usd(one[0])}**" for one in sums)))
    rows.append(("with NAT, endpoints, no RDS", *(usd(one[0] + one[1]) for one in sums)))
    rows.append(("with RDS, no NAT", *(usd(one[0] + one[2]) for one in sums)))
    rows.append(("**with all of it**", *(f"**{usd(sum(one, Decimal(0)))}**" for one in sums)))
    head = ("USD a month", *("idle" if not each else f"{each:,} signals" for each in SIGNALS))
    return table(head, rows)


def keys() -> str:
    """The table of users' keys, which live trading needs: one a user and venue."""
    a_key, a_signature = PRICES["KMS, a key"], PRICES["KMS, a signature by an elliptic curve"]
    rows = [
        (f"{users:,}", usd(users * a_key), usd(users * 2 * a_key))
        for users in (10, 100, 1_000, 10_000)
    ]
    signed = table(
        ("orders signed a month", "USD"),
        [(f"{orders:,}", usd(orders * a_signature)) for orders in (3_000, 300_000, 30_000_000)],
    )
    return f"{table(('users', 'at one venue', 'at two'), rows)}\n\n{signed}"


def prices() -> str:
    """The table of what it was computed from."""
    return table(("price", "USD"), [(name, f"{price:f}") for name, price in PRICES.items()])


def document(template: str) -> str:
    """The document, its tables between marks written anew."""
    for name, made in (("bill", bill), ("keys", keys), ("prices", prices)):
        before, _, rest = template.partition(f"<!-- {name} -->")
        _, _, after = rest.partition(f"<!-- /{name} -->")
        template = f"{before}<!-- {name} -->\n\n{made()}\n\n<!-- /{name} -->{after}"
    return template


def main(path: Path = DOCUMENT) -> int:
    """Write the document's tables anew."""
    path.write_text(document(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
