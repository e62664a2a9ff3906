"""A user's wallet at the simulated venues: it holds the user's own key, which no server ever sees.

It does with what a deployment shows (`accounts`) what docs/live.md has a user do in a browser.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from eth_account import Account
from eth_account.signers.local import LocalAccount

from local.chain.rpc import Rpc
from local.chain.wallet import send_from
from local.processes import StepFailed
from local.venues import Venues, tell

_ANSWER_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Wallet:
    """One user: a key drawn at random, and where it is used."""

    key: LocalAccount
    venues: Venues

    @classmethod
    def new(cls, venues: Venues) -> "Wallet":
        """Somebody with nothing."""
        made: LocalAccount = Account.create()
        return cls(made, venues)

    @property
    def address(self) -> str:
        """In lower case."""
        return self.key.address.lower()

    def fund(self, usd: int) -> None:
        """Be given so much at each venue, and ether for the user's own transactions."""
        tell(self.venues.hyperliquid, "deposit", user=self.address, usd=usd)
        if self.venues.ostium_rpc is not None:
            tell(self.venues.ostium_rpc, "fund", address=self.address, usdc=usd, eth=1)

    def approve(self, account: Mapping[str, Any]) -> None:
        """Let an account's key trade, as the account asks for; and pay for its gas on a chain.

        Raises:
            StepFailed: the venue refused.
            RpcError: so did the chain.
        """
        approval = account["approval"]
        if not approval["transactions"]:
            self._post(approval)
            return
        if self.venues.ostium_rpc is None:
            raise StepFailed("there is no chain to approve anything on")
        node = Rpc(self.venues.ostium_rpc)
        for asked in approval["transactions"]:
            send_from(self.key, node, asked["to"], bytes.fromhex(asked["data"][2:]))
        node.close()
        tell(self.venues.ostium_rpc, "fund", address=account["signer_address"], eth=1)

    def _post(self, approval: Mapping[str, Any]) -> None:
        signed = self.key.sign_typed_data(full_message=approval["typedData"])
        body = {
            "action": approval["action"],
            "nonce": approval["nonce"],
            "signature": {"r": hex(signed.r), "s": hex(signed.s), "v": signed.v},
        }
        answer = urllib3.request(
            "POST", approval["postTo"], json=body, timeout=_ANSWER_SECONDS, retries=False
        )
        if answer.status != 200 or answer.json()["status"] != "ok":
            raise StepFailed(f"the venue refused the approval: {answer.data[:200]!r}")
