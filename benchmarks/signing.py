"""What signing costs: what it adds to a cold start, and one signature.

Cold starts are timed in processes of their own that have loaded route_execute first. KMS is no
further than loopback, where nobody listens, or is played by prepared answers: its lines hold our
part alone. Prints one JSON object a line; `ratio` compares a cold start with what it may take, on
a machine that does nothing else.
"""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from cryptography.hazmat.primitives import hashes  # noqa: E402 the path is set above
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: E402

from agent_where.execution.signers import Signer, Signers  # noqa: E402
from agent_where.venues._evm.transaction import Fees, Transaction, signed  # noqa: E402
from agent_where.venues.hyperliquid.signing import Request, signed_body  # noqa: E402
from agent_where.venues.hyperliquid.wire import OrderTerms, order  # noqa: E402
from agent_where.venues.ostium.contracts import DELEGATED, OPEN_TRADE, Trade  # noqa: E402
from benchmarks._measure import timed, told  # noqa: E402

PROCESSES = 9
MOST_MS = 150
"""What the adapter and the signers may add to a cold start."""
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
DIGEST = bytes(range(32))
NOBODY = "0x" + "0" * 40

ADAPTER = """
for path in sorted(pathlib.Path(sys.argv[2]).glob("venues/hyperliquid/*.py")):
    if path.stem != "__init__":
        importlib.import_module("agent_where.venues.hyperliquid." + path.stem)
from agent_where.execution.signers import Signers
"""
ON_CHAIN = """
for path in sorted(pathlib.Path(sys.argv[2]).glob("venues/ostium/*.py")):
    if path.stem != "__init__":
        importlib.import_module("agent_where.venues.ostium." + path.stem)
from agent_where.execution.signers import Signers
"""
ASK = """
from agent_where.execution._aws import Away
from agent_where.execution._kms import kms
try:
    kms().call("GetPublicKey", {}, again=False)
except Away:
    pass
"""
SCRIPT = """
import importlib, pathlib, runpy, sys, time
runpy.run_path(sys.argv[1], run_name="app")
began = time.perf_counter()
TIMED
print((time.perf_counter() - began) * 1000)
"""


class Prepared:
    """A key in KMS that was asked before: it gives its answers again at once."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256K1())
        point = key.public_key()
        spki = point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._spki = b64encode(spki).decode()
        self._der = b64encode(key.sign(DIGEST, ec.ECDSA(Prehashed(hashes.SHA256())))).decode()

    def call(self, *_: object, **__: object) -> Mapping[str, object]:
        """The public key and the signature, whichever is asked for."""
        return {
            "PublicKey": self._spki,
            "KeySpec": "ECC_SECG_P256K1",
            "KeyUsage": "SIGN_VERIFY",
            "Signature": self._der,
        }


def measured(name: str, once: Callable[[], object]) -> None:
    """Time `once` in microseconds."""
    told(name, [taken * 1000 for taken in timed(once)], "us")


def cold(name: str, timed: str) -> None:
    """Time `timed` in fresh processes that have imported route_execute, in milliseconds."""
    layer = ROOT / "layers" / "core"
    command = [sys.executable, "-c", SCRIPT.replace("TIMED", timed)]
    command += [str(ROOT / "functions" / "route_execute" / "app.py"), str(layer / "agent_where")]
    aws = {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    }
    environment = {**os.environ, **aws, "PYTHONPATH": str(layer)}
    taken = [
        float(subprocess.check_output(command, env=environment, text=True))
        for _ in range(PROCESSES)
    ]
    told(name, taken, "ms", baseline=MOST_MS)


def main() -> None:
    """Cold starts first, then signatures."""
    cold("cold start: adapter and signers", ADAPTER)
    cold("cold start: the adapter on a chain and signers", ON_CHAIN)
    cold("cold start: adapter, signers and the first question to KMS", ADAPTER + ASK)
    laptop = Signers(allow_env=True, environment={"KEY": "01" * 32}).signer("env:KEY")
    kms = Signers(allow_env=False, service=Prepared()).signer(f"kms:{KEY_ID}")
    measured("sign a digest, env", lambda: laptop.sign_digest(DIGEST))
    measured("sign a digest, KMS without its answer's way", lambda: kms.sign_digest(DIGEST))
    measured("an order from its terms to signed bytes, env", lambda: _signed(laptop))
    measured("a transaction from its call to signed bytes, env", lambda: _transaction(laptop))


def _signed(signer: Signer) -> bytes:
    terms = OrderTerms(
        asset=0,
        is_buy=True,
        limit_price=Decimal(97123),
        size=Decimal("0.00123"),
        client_id="0x285ad26a251f390c83d065af51e3f8d9",
    )
    return signed_body(
        Request(order(terms), 1_769_860_800_123, 1_769_860_808_123), "mainnet", signer
    )


def _transaction(signer: Signer) -> bytes:
    trade = Trade(10**8, 10**20, 0, 0, NOBODY, 1000, 0, 0, is_buy=True, is_day_trade=False)
    call = OPEN_TRADE.call(trade, (NOBODY, 0), 0, 100)
    data = DELEGATED.call(NOBODY, call)
    fees = Fees(20_000_000, 0)
    return signed(Transaction(42_161, 7, fees, 900_000, NOBODY, data), signer)


if __name__ == "__main__":
    main()
