-- The original system's database as its ORM makes it: types of its own, ids made by its code, times to the microsecond,
-- list columns that may be null, `updated_at` without a default, and tables that this system knows nothing of.
CREATE TYPE venue_t AS ENUM ('SPOT', 'GMX', 'HYPERLIQUID', 'OSTIUM');
CREATE TYPE agent_status_t AS ENUM ('DRAFT', 'ACTIVE', 'PAUSED');
CREATE TYPE deployment_status_t AS ENUM ('ACTIVE', 'PAUSED', 'CANCELLED');

CREATE TABLE agents (
    id                      uuid NOT NULL,
    creator_wallet          varchar(80) NOT NULL,
    name                    varchar(80) NOT NULL,
    venue                   venue_t NOT NULL,
    status                  agent_status_t NOT NULL DEFAULT 'DRAFT',
    weights                 smallint[],
    profit_receiver_address varchar(80) NOT NULL,
    avatar                  text,
    updated_at              timestamptz(6) NOT NULL,
    CONSTRAINT agents_pkey PRIMARY KEY (id)
);
CREATE TABLE agent_deployments (
    id          uuid NOT NULL,
    agent_id    uuid NOT NULL,
    user_wallet text NOT NULL,
    safe_wallet text NOT NULL,
    status      deployment_status_t NOT NULL DEFAULT 'ACTIVE',
    sub_active  boolean NOT NULL DEFAULT true,
    CONSTRAINT agent_deployments_pkey PRIMARY KEY (id),
    CONSTRAINT agent_deployments_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents (id) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX agent_deployments_user_wallet_idx ON agent_deployments (user_wallet);
CREATE TABLE signals (
    id             uuid NOT NULL,
    agent_id       uuid NOT NULL,
    token_symbol   text NOT NULL,
    venue          venue_t NOT NULL,
    side           text NOT NULL,
    size_model     jsonb NOT NULL,
    risk_model     jsonb NOT NULL,
    source_tweets  text[],
    created_at     timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    skipped_reason text,
    CONSTRAINT signals_pkey PRIMARY KEY (id),
    CONSTRAINT signals_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents (id) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE TABLE positions (
    id            uuid NOT NULL,
    deployment_id uuid NOT NULL,
    signal_id     uuid NOT NULL,
    venue         venue_t NOT NULL,
    token_symbol  text NOT NULL,
    side          text NOT NULL,
    qty           numeric(28, 10) NOT NULL,
    entry_price   numeric(28, 10) NOT NULL,
    stop_loss     numeric(28, 10),
    take_profit   numeric(28, 10),
    status        text NOT NULL DEFAULT 'OPEN',
    opened_at     timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    closed_at     timestamptz(6),
    exit_price    numeric(28, 10),
    exit_reason   text,
    pnl           numeric(28, 10),
    entry_tx_hash text,
    CONSTRAINT positions_pkey PRIMARY KEY (id),
    CONSTRAINT positions_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES agent_deployments (id) ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT positions_signal_id_fkey FOREIGN KEY (signal_id) REFERENCES signals (id) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX positions_deployment_id_signal_id_key ON positions (deployment_id, signal_id);
CREATE TABLE venue_markets (
    id            uuid NOT NULL,
    venue         venue_t NOT NULL,
    token_symbol  text NOT NULL,
    market_name   text NOT NULL,
    market_index  integer,
    is_active     boolean NOT NULL DEFAULT true,
    min_position  numeric(28, 10),
    max_leverage  integer,
    "group"       text,
    current_price numeric(28, 10),
    last_synced   timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    metadata      jsonb,
    CONSTRAINT venue_markets_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX venue_markets_venue_token_symbol_key ON venue_markets (venue, token_symbol);
CREATE TABLE subscription_charges (
    id          uuid NOT NULL,
    position_id uuid,
    amount_usd  numeric(12, 2) NOT NULL,
    CONSTRAINT subscription_charges_pkey PRIMARY KEY (id),
    CONSTRAINT subscription_charges_position_id_fkey FOREIGN KEY (position_id) REFERENCES positions (id) ON DELETE SET NULL ON UPDATE CASCADE
);

INSERT INTO agents (id, creator_wallet, name, venue, status, weights, profit_receiver_address, avatar, updated_at) VALUES
    ('a0000000-0000-4000-8000-000000000001', '0xCccccccccccccccccccccccccccccccccccccccc', 'Static on Hyperliquid', 'HYPERLIQUID', 'ACTIVE', '{1,2,3}', '0x0000000000000000000000000000000000000001', 'face', '2025-10-01T00:00:00.123456Z'),
    ('a0000000-0000-4000-8000-000000000002', '0xCccccccccccccccccccccccccccccccccccccccc', 'Static on Ostium', 'OSTIUM', 'PAUSED', NULL, '0x0000000000000000000000000000000000000001', NULL, '2025-10-01T00:00:00Z'),
    ('a0000000-0000-4000-8000-000000000003', '0xDddddddddddddddddddddddddddddddddddddddd', 'On Arbitrum', 'SPOT', 'ACTIVE', '{}', '0x0000000000000000000000000000000000000002', NULL, '2025-10-02T00:00:00Z');
INSERT INTO agent_deployments (id, agent_id, user_wallet, safe_wallet, status, sub_active) VALUES
    ('d0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', '0xAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '0x0000000000000000000000000000000000000003', 'ACTIVE', true),
    ('d0000000-0000-4000-8000-000000000002', 'a0000000-0000-4000-8000-000000000001', '0xBbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '0x0000000000000000000000000000000000000004', 'CANCELLED', false),
    ('d0000000-0000-4000-8000-000000000003', 'a0000000-0000-4000-8000-000000000003', '0xAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '0x0000000000000000000000000000000000000003', 'PAUSED', true);
INSERT INTO signals (id, agent_id, token_symbol, venue, side, size_model, risk_model, source_tweets, created_at, skipped_reason) VALUES
    ('50000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', 'BTC', 'HYPERLIQUID', 'LONG', '{"type": "balance-percentage", "value": 5}', '{"stopLoss": 0.05}', '{1,2}', '2025-11-01T10:00:00.000001Z', NULL),
    ('50000000-0000-4000-8000-000000000002', 'a0000000-0000-4000-8000-000000000001', 'HYPE', 'HYPERLIQUID', 'SHORT', '{"type": "fixed-usdc", "value": 50.5}', '{}', NULL, '2025-11-01T11:00:00Z', NULL),
    ('50000000-0000-4000-8000-000000000003', 'a0000000-0000-4000-8000-000000000003', 'ARB', 'SPOT', 'BUY', '{}', '{}', NULL, '2025-11-01T12:00:00Z', 'No balance');
INSERT INTO positions (id, deployment_id, signal_id, venue, token_symbol, side, qty, entry_price, stop_loss, status, opened_at, closed_at, exit_price, exit_reason, pnl, entry_tx_hash) VALUES
    ('b0000000-0000-4000-8000-000000000001', 'd0000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000001', 'HYPERLIQUID', 'BTC', 'LONG', 0.0123456789, 101234.5, 96000, 'CLOSED', '2025-11-01T10:00:05Z', '2025-11-02T10:00:05Z', 104000, 'TAKE_PROFIT', 34.1415, '0xhash'),
    ('b0000000-0000-4000-8000-000000000002', 'd0000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000002', 'HYPERLIQUID', 'HYPE', 'SHORT', 3, 41.25, NULL, 'OPEN', '2025-11-01T11:00:05Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO venue_markets (id, venue, token_symbol, market_name, market_index, is_active, min_position, max_leverage, "group", current_price, last_synced, metadata) VALUES
    ('e0000000-0000-4000-8000-000000000001', 'HYPERLIQUID', 'BTC', 'BTC', 0, true, 10, 40, NULL, 101000, '2025-11-02T00:00:00Z', '{"szDecimals": 5}'),
    ('e0000000-0000-4000-8000-000000000002', 'OSTIUM', 'BTC', 'BTC/USD', 0, true, 5, 100, 'crypto', NULL, '2025-11-02T00:00:00Z', NULL),
    ('e0000000-0000-4000-8000-000000000003', 'OSTIUM', 'XAU', 'XAU/USD', 5, false, NULL, NULL, 'commodities', 3990.5, '2025-11-02T00:00:00Z', NULL);
INSERT INTO subscription_charges (id, position_id, amount_usd) VALUES
    ('c0000000-0000-4000-8000-000000000001', 'b0000000-0000-4000-8000-000000000001', 12.50);
