-- The tables that an existing installation may already have: created where missing, and given the
-- columns that routing and the ledger need. What is there is loosened where it must be, never dropped or rewritten.
CREATE TABLE IF NOT EXISTS agents (
    id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    creator_wallet          text NOT NULL,
    name                    text NOT NULL,
    venue                   venue_t NOT NULL,
    status                  text NOT NULL DEFAULT 'DRAFT' CHECK (status IN ('DRAFT', 'ACTIVE', 'PAUSED')),
    weights                 smallint[] NOT NULL DEFAULT '{}',
    profit_receiver_address text NOT NULL,
    created_at              timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE agents ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now();

CREATE TABLE IF NOT EXISTS agent_deployments (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    agent_id    uuid NOT NULL REFERENCES agents,
    user_wallet text NOT NULL,
    safe_wallet text,
    status      text NOT NULL DEFAULT 'ACTIVE',
    sub_active  boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE agent_deployments
    ADD COLUMN IF NOT EXISTS created_at       timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS venues           text[],          -- null: every venue
    ADD COLUMN IF NOT EXISTS max_notional_usd numeric CHECK (max_notional_usd > 0),
    ADD COLUMN IF NOT EXISTS max_leverage     numeric CHECK (max_leverage >= 1);
ALTER TABLE agent_deployments ALTER COLUMN safe_wallet DROP NOT NULL;
CREATE INDEX IF NOT EXISTS agents_by_time ON agents (created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS agent_deployments_by_agent ON agent_deployments (agent_id);

CREATE TABLE IF NOT EXISTS signals (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    agent_id       uuid NOT NULL REFERENCES agents,
    token_symbol   text NOT NULL,
    venue          venue_t NOT NULL,
    side           text,
    size_model     jsonb,
    risk_model     jsonb,
    created_at     timestamptz NOT NULL DEFAULT now(),
    skipped_reason text
);
ALTER TABLE signals
    ADD COLUMN IF NOT EXISTS requested_venue venue_t,          -- what was asked for; venue is what was chosen
    ADD COLUMN IF NOT EXISTS action          text NOT NULL DEFAULT 'OPEN' CHECK (action IN ('OPEN', 'CLOSE')),
    ADD COLUMN IF NOT EXISTS expires_at      timestamptz,
    ADD COLUMN IF NOT EXISTS received_at     timestamptz,      -- when this system took it in: its place in the order of an agent's signals
    ADD COLUMN IF NOT EXISTS body_hash       text,
    ADD COLUMN IF NOT EXISTS decided_at      timestamptz,
    ADD COLUMN IF NOT EXISTS enqueued_at     timestamptz,      -- the last time its id was put on the queue
    ADD COLUMN IF NOT EXISTS enqueue_count   int NOT NULL DEFAULT 0;
ALTER TABLE signals                                            -- a CLOSE has none of the three
    ALTER COLUMN side DROP NOT NULL,
    ALTER COLUMN size_model DROP NOT NULL,
    ALTER COLUMN risk_model DROP NOT NULL;
CREATE INDEX IF NOT EXISTS signals_undecided ON signals (received_at)
    WHERE decided_at IS NULL AND received_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS signals_by_agent_token ON signals (agent_id, token_symbol, action, received_at);

CREATE TABLE IF NOT EXISTS positions (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    deployment_id uuid NOT NULL REFERENCES agent_deployments,
    signal_id     uuid NOT NULL REFERENCES signals,
    venue         venue_t NOT NULL,
    token_symbol  text NOT NULL,
    side          text NOT NULL,
    qty           numeric NOT NULL,                            -- base units bought or sold to open
    entry_price   numeric NOT NULL,                            -- USD per base unit
    stop_loss     numeric,
    take_profit   numeric,
    status        text NOT NULL DEFAULT 'OPEN',
    opened_at     timestamptz NOT NULL DEFAULT now(),
    closed_at     timestamptz,
    exit_price    numeric,
    exit_reason   text,
    pnl           numeric,                                     -- USD, all fees taken off
    entry_tx_hash text,
    UNIQUE (deployment_id, signal_id)
);
ALTER TABLE positions
    ADD COLUMN IF NOT EXISTS mode      text CHECK (mode IN ('PAPER', 'LIVE')),
    ADD COLUMN IF NOT EXISTS account   text,
    ADD COLUMN IF NOT EXISTS leverage  numeric,
    ADD COLUMN IF NOT EXISTS open_qty  numeric CHECK (open_qty >= 0),
    ADD COLUMN IF NOT EXISTS fees_usd  numeric NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS venue_ref text,
    ADD COLUMN IF NOT EXISTS closed_by text;
-- The names that the UNIQUE above gets, and that the original's tables use: nothing happens where it is there.
CREATE UNIQUE INDEX IF NOT EXISTS positions_deployment_id_signal_id_key ON positions (deployment_id, signal_id);
CREATE INDEX IF NOT EXISTS positions_by_time ON positions (opened_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS positions_open ON positions (deployment_id, token_symbol) WHERE status = 'OPEN';
CREATE INDEX IF NOT EXISTS positions_by_account ON positions (account, venue) WHERE account IS NOT NULL;

CREATE TABLE IF NOT EXISTS venue_markets (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    venue         venue_t NOT NULL,
    token_symbol  text NOT NULL,
    market_name   text NOT NULL,
    market_index  int,
    is_active     boolean NOT NULL DEFAULT true,
    min_position  numeric,                                     -- a notional in USD
    max_leverage  numeric,
    "group"       text,
    current_price numeric,                                     -- USD per canonical token
    last_synced   timestamptz,
    metadata      jsonb,
    UNIQUE (venue, token_symbol)
);
ALTER TABLE venue_markets
    ADD COLUMN IF NOT EXISTS is_open       boolean NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS multiplier    numeric NOT NULL DEFAULT 1 CHECK (multiplier > 0),
    ADD COLUMN IF NOT EXISTS taker_fee_bps numeric NOT NULL DEFAULT 0 CHECK (taker_fee_bps >= 0);
CREATE UNIQUE INDEX IF NOT EXISTS venue_markets_venue_token_symbol_key ON venue_markets (venue, token_symbol);
CREATE INDEX IF NOT EXISTS venue_markets_by_token ON venue_markets (token_symbol);

-- Ids may come from the original's code; from this system's they come from here.
ALTER TABLE agents ALTER COLUMN id SET DEFAULT gen_random_uuid();
ALTER TABLE agent_deployments ALTER COLUMN id SET DEFAULT gen_random_uuid();
ALTER TABLE signals ALTER COLUMN id SET DEFAULT gen_random_uuid();
ALTER TABLE positions ALTER COLUMN id SET DEFAULT gen_random_uuid();
ALTER TABLE venue_markets ALTER COLUMN id SET DEFAULT gen_random_uuid();
