-- The order ledger. What a worker could get wrong, the database refuses.
CREATE TABLE venue_accounts (
    account        text NOT NULL CHECK (account = lower(account)),    -- the user's address at the venue: one spelling, one lease
    venue          venue_t NOT NULL CHECK (venue <> 'MULTI'),
    signer_address text UNIQUE CHECK (signer_address = lower(signer_address)),   -- for nothing else; null: paper only, no key
    key_ref        text,
    approved_until timestamptz,
    last_nonce     bigint NOT NULL DEFAULT 0,
    lease_token    uuid,
    lease_until    timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, venue),
    CONSTRAINT venue_accounts_lease_whole CHECK ((lease_token IS NULL) = (lease_until IS NULL))
);

CREATE TABLE venue_orders (
    id              uuid PRIMARY KEY,                          -- uuid5(signal, deployment, leg, attempt): a repeat collides
    signal_id       uuid NOT NULL REFERENCES signals,
    deployment_id   uuid NOT NULL REFERENCES agent_deployments,
    position_id     uuid NOT NULL,                             -- uuid5(deployment, entry's signal): known before the position exists
    purpose         text NOT NULL CHECK (purpose IN ('ENTRY', 'CLOSE', 'TAKE_PROFIT', 'STOP_LOSS')),
    leg             text NOT NULL,
    attempt         int NOT NULL CHECK (attempt > 0),
    after_order_id  uuid REFERENCES venue_orders,              -- waits for this order's end
    venue           venue_t NOT NULL CHECK (venue <> 'MULTI'),
    account         text NOT NULL,
    mode            text NOT NULL CHECK (mode IN ('PAPER', 'LIVE')),
    token_symbol    text NOT NULL,
    market_name     text NOT NULL,
    side            text NOT NULL CHECK (side IN ('LONG', 'SHORT')),
    reduce_only     boolean NOT NULL,
    leverage        numeric NOT NULL CHECK (leverage >= 1),
    collateral_usd  numeric CHECK (collateral_usd >= 0),
    size            numeric CHECK (size > 0),                  -- base units
    limit_price     numeric CHECK (limit_price > 0),           -- USD per base unit
    trigger_price   numeric CHECK (trigger_price > 0),         -- USD per base unit; exits only
    client_order_id text NOT NULL GENERATED ALWAYS AS ('0x' || replace(id::text, '-', '')) STORED UNIQUE,
    status          text NOT NULL DEFAULT 'PLANNED'
                    CHECK (status IN ('PLANNED', 'SENT', 'ACCEPTED', 'FILLED', 'REJECTED', 'EXPIRED')),
    filled_size     numeric CHECK (filled_size > 0),
    average_price   numeric CHECK (average_price > 0),
    fee             numeric,                                   -- USD
    venue_ref       text,
    refusal         text,                                      -- the code of a REJECTED order
    detail          text NOT NULL DEFAULT '',
    sent_under      uuid,                                      -- the lease it was sent under
    due_at          timestamptz,                               -- not sent before; null: waits for a trigger or another order's end
    enqueued_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    sent_at         timestamptz,
    settled_at      timestamptz,
    UNIQUE (signal_id, deployment_id, leg, attempt),
    FOREIGN KEY (account, venue) REFERENCES venue_accounts (account, venue),
    CONSTRAINT venue_orders_exits_reduce CHECK (reduce_only = (purpose <> 'ENTRY')),
    CONSTRAINT venue_orders_entry_has_no_trigger CHECK (purpose <> 'ENTRY' OR trigger_price IS NULL),
    CONSTRAINT venue_orders_bound_has_trigger
        CHECK (purpose NOT IN ('TAKE_PROFIT', 'STOP_LOSS') OR trigger_price IS NOT NULL),
    CONSTRAINT venue_orders_not_after_itself CHECK (after_order_id <> id),
    CONSTRAINT venue_orders_sent_whole
        CHECK (status IN ('PLANNED', 'REJECTED') OR (sent_at IS NOT NULL AND size IS NOT NULL
               AND limit_price IS NOT NULL AND collateral_usd IS NOT NULL)),
    CONSTRAINT venue_orders_planned_unsent CHECK (status <> 'PLANNED' OR sent_at IS NULL),
    CONSTRAINT venue_orders_sent_under_lease CHECK ((sent_at IS NULL) = (sent_under IS NULL)),
    CONSTRAINT venue_orders_settled_when_ended
        CHECK ((status IN ('FILLED', 'REJECTED', 'EXPIRED')) = (settled_at IS NOT NULL)),
    CONSTRAINT venue_orders_executed_when_filled
        CHECK (CASE WHEN status = 'FILLED' THEN num_nulls(filled_size, average_price, fee) = 0
                    ELSE num_nonnulls(filled_size, average_price, fee) = 0 END),
    CONSTRAINT venue_orders_refusal_when_rejected CHECK ((status = 'REJECTED') = (refusal IS NOT NULL)),
    CONSTRAINT venue_orders_end_explained CHECK (status NOT IN ('REJECTED', 'EXPIRED') OR detail <> '')
);
-- A signal trades at most once per user and leg.
CREATE UNIQUE INDEX venue_orders_one_alive ON venue_orders (signal_id, deployment_id, leg)
    WHERE status NOT IN ('REJECTED', 'EXPIRED');
-- Whatever its leg is called: a second living entry would be a second trade.
CREATE UNIQUE INDEX venue_orders_one_entry ON venue_orders (signal_id, deployment_id)
    WHERE purpose = 'ENTRY' AND status NOT IN ('REJECTED', 'EXPIRED');
CREATE INDEX venue_orders_unfinished ON venue_orders (due_at) WHERE status IN ('PLANNED', 'SENT', 'ACCEPTED');
CREATE INDEX venue_orders_by_position ON venue_orders (position_id);
CREATE INDEX venue_orders_waiting ON venue_orders (after_order_id) WHERE after_order_id IS NOT NULL;
CREATE INDEX venue_orders_by_account ON venue_orders (account, venue, token_symbol) WHERE status IN ('SENT', 'ACCEPTED');
CREATE INDEX venue_orders_triggers ON venue_orders (venue, token_symbol)
    WHERE status = 'PLANNED' AND due_at IS NULL AND trigger_price IS NOT NULL;

CREATE TABLE venue_actions (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id       uuid NOT NULL REFERENCES venue_orders,
    kind           text NOT NULL CHECK (kind IN ('ORDER', 'LEVERAGE', 'NOOP', 'CANCEL', 'REPLACE', 'TIMEOUT')),
    signer_address text CHECK (signer_address = lower(signer_address)),
    nonce          bigint,
    payload        bytea NOT NULL,                             -- exactly what is sent, and the only thing
    tx_hash        text,
    expires_at     timestamptz,
    send_count     int NOT NULL DEFAULT 0 CHECK (send_count >= 0),
    outcome        text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT venue_actions_signer_with_nonce CHECK ((signer_address IS NULL) = (nonce IS NULL))
);
CREATE UNIQUE INDEX venue_actions_one_order ON venue_actions (order_id) WHERE kind = 'ORDER';
CREATE UNIQUE INDEX venue_actions_one_nonce ON venue_actions (signer_address, nonce)
    WHERE kind NOT IN ('NOOP', 'REPLACE');
CREATE INDEX venue_actions_by_order ON venue_actions (order_id);

CREATE TABLE venue_fills (
    order_id      uuid NOT NULL REFERENCES venue_orders,
    venue         venue_t NOT NULL,
    venue_fill_id text NOT NULL,
    size          numeric NOT NULL CHECK (size > 0),           -- base units
    price         numeric NOT NULL CHECK (price > 0),          -- USD per base unit
    fee           numeric NOT NULL,                            -- of fee_token
    fee_token     text NOT NULL DEFAULT 'USDC',
    at            timestamptz NOT NULL,
    PRIMARY KEY (venue, venue_fill_id)
);
CREATE INDEX venue_fills_by_order ON venue_fills (order_id);
