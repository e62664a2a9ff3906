"""What the local venue can be told over HTTP, beside how its endpoint answers.

Bodies are JSON objects; orders are named by number, trades by trader, pair and index.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from eth_utils.address import is_address, to_checksum_address

from local.chain.deploy import Deployment, units
from local.chain.feeds import NoPrices
from local.chain.keeper import Automation, CancelReason, Keeper, Manner
from local.chain.node import CHAIN_ID, mine_every
from local.chain.proxy import whole
from local.chain.rpc import Contract, Rpc, RpcError
from local.simulators.control import BadControl, Command, Report, flag, positive
from local.simulators.faults import seconds_of

GAS_MONEY_WEI: Final = 10**16
_MODES: Final = ("fill", "cancel", "silent")


class VenueControl:
    """What stands under `/simulator` beside the endpoint's own.

    `keeper` sets its manner; `answer`, `refuse` and `exit` have it act at once; `mine`, `mining`
    and `reorg` are about blocks; `state` pauses contracts; `fund`, `approve` and `delegate` do
    what an account's owner would, without his key. GET `keeper` and `venue` tell how things are.
    """

    def __init__(self, node: Rpc, deployed: Deployment, keeper: Keeper) -> None:
        self._node = node
        self._deployed = deployed
        self._keeper = keeper

    def commands(self) -> Mapping[str, Command]:
        """What it can be told, by path."""
        return {
            "/simulator/keeper": self._behave,
            "/simulator/answer": self._answer,
            "/simulator/refuse": self._refuse,
            "/simulator/exit": self._exit,
            "/simulator/mine": self._mine,
            "/simulator/mining": self._mining,
            "/simulator/reorg": self._reorg,
            "/simulator/state": self._state,
            "/simulator/fund": self._fund,
            "/simulator/approve": self._approve,
            "/simulator/delegate": self._delegate,
        }

    def reports(self) -> Mapping[str, Report]:
        """What it can be asked, by path."""
        return {"/simulator/keeper": self._told, "/simulator/venue": self._addresses}

    def reset(self) -> None:
        """A keeper that fills; the contracts stay as they are."""
        self._keeper.behave(Manner())

    def _told(self) -> dict[str, Any]:
        return {**self._keeper.manner.told(), "unanswered": self._keeper.unanswered()}

    def _behave(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        mode, exits = asked.get("mode", "fill"), flag(asked, "exits")
        if mode not in _MODES:
            raise BadControl(f"mode is one of {', '.join(_MODES)}")
        times = asked.get("times")
        self._keeper.behave(
            Manner(
                mode,
                _reason(asked.get("reason", "SLIPPAGE")),
                seconds_of(asked.get("seconds", 0)),
                None if times is None else whole(asked, "times", least=1),
                exits is not False,
            )
        )
        return self._keeper.manner.told()

    def _answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self._done(lambda: self._keeper.answer(whole(asked, "order", least=1)))

    def _refuse(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        reason = _reason(asked.get("reason"))
        return self._done(lambda: self._keeper.refuse(whole(asked, "order", least=1), reason))

    def _exit(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        named = str(asked.get("why", "")).upper()
        if named not in Automation.__members__:
            raise BadControl(f"why is one of {', '.join(Automation.__members__)}")
        trader, pair, index = str(asked.get("trader")), whole(asked, "pair"), whole(asked, "index")
        return self._done(lambda: self._keeper.exit(trader, pair, index, Automation[named]))

    def _mine(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        blocks = whole(asked, "blocks", least=1)
        return self._done(lambda: self._node.ask("anvil_mine", hex(blocks)))

    def _mining(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        seconds = None if asked.get("seconds") is None else whole(asked, "seconds")
        return self._done(lambda: mine_every(self._node, seconds))

    def _reorg(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        depth = whole(asked, "depth", least=1)
        return self._done(lambda: self._node.ask("anvil_reorg", depth, []))

    def _state(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """`contract` is trading or callbacks; `paused` and `done` say how it shall be."""
        contracts = {"trading": self._deployed.trading, "callbacks": self._deployed.callbacks}
        contract = contracts.get(str(asked.get("contract")))
        if contract is None:
            raise BadControl(f"contract is one of {', '.join(contracts)}")
        for name, switch, reading in (("paused", "pause", "isPaused"), ("done", "done", "isDone")):
            _switch(contract, switch, reading, wanted=flag(asked, name))
        return {"paused": contract.read("isPaused"), "done": contract.read("isDone")}

    def _fund(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        address = _account(asked, "address")
        usdc, eth = (_amount(asked, "usdc", 6), _amount(asked, "eth", 18))
        return self._done(lambda: fund(self._node, self._deployed, address, usdc=usdc, wei=eth))

    def _approve(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        spender, usdc = self._deployed.trading_storage.address, _amount(asked, "usdc", 6)
        return self._as_owner(asked, self._deployed.usdc, "approve", spender, usdc)

    def _delegate(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        agent = _account(asked, "agent")
        return self._as_owner(asked, self._deployed.trading, "setDelegate", agent)

    def _as_owner(
        self, asked: Mapping[str, Any], contract: Contract, function: str, *arguments: object
    ) -> dict[str, Any]:
        owner = _account(asked, "owner")

        def send() -> None:
            self._node.ask("anvil_impersonateAccount", owner)
            if self._node.number("eth_getBalance", owner, "latest") < GAS_MONEY_WEI:
                self._node.ask("anvil_setBalance", owner, hex(GAS_MONEY_WEI))
            contract.acting(owner).send(function, *arguments)

        return self._done(send)

    def _addresses(self) -> dict[str, Any]:
        parts = {
            part.name: getattr(self._deployed, part.name).address for part in fields(Deployment)
        }
        return {"chain_id": CHAIN_ID, **parts}

    def _done(self, what: Any) -> dict[str, Any]:  # noqa: ANN401 (whatever it returns is dropped)
        try:
            what()
        except (RpcError, NoPrices) as fault:
            raise BadControl(f"it did not happen: {fault}") from fault
        return {"block": self._node.number("eth_blockNumber")}


def fund(node: Rpc, deployed: Deployment, address: str, *, usdc: int, wei: int) -> None:
    """Give an account so much USDC (1e6) more, and set its ether where any is named."""
    if usdc:
        deployed.usdc.send("mint", address, usdc)
    if wei:
        node.ask("anvil_setBalance", address, hex(wei))


def _account(asked: Mapping[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not is_address(value):
        raise BadControl(f"{value!r} is no {name}")
    return to_checksum_address(value)


def _amount(asked: Mapping[str, Any], name: str, decimals: int) -> int:
    return 0 if asked.get(name) is None else units(positive(asked, name), decimals)


def _switch(contract: Contract, switch: str, reading: str, *, wanted: bool | None) -> None:
    if wanted is not None and contract.read(reading) is not wanted:
        contract.send(switch)


def _reason(value: object) -> CancelReason:
    if str(value) not in CancelReason.__members__:
        raise BadControl(f"reason is one of {', '.join(CancelReason.__members__)}")
    return CancelReason[str(value)]
