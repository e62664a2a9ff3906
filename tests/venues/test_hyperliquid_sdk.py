"""The venue's own Python client as a witness that the simulator speaks as the venue does."""

import pytest

from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.server import Server
from tests.venues.sources import TRADING_HOURS

info = pytest.importorskip(
    "hyperliquid.info", reason="hyperliquid-python-sdk is not in this environment"
)


def test_the_venues_own_client_reads_the_simulator() -> None:
    with Server(HyperliquidSimulator(lambda: TRADING_HOURS)) as server:
        client = info.Info(base_url=server.url, skip_ws=True)
        meta, contexts = client.meta_and_asset_ctxs()

        assert len(meta["universe"]) == len(contexts) == 228
        assert client.meta() == meta
        assert client.name_to_asset("kPEPE") == 15
        assert client.all_mids()["BTC"] == contexts[0]["midPx"]
        bids, asks = client.l2_snapshot("BTC")["levels"]
        assert float(bids[0]["px"]) < float(contexts[0]["midPx"]) < float(asks[0]["px"])
        client.session.close()
