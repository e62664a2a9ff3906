-- An installation of the original system: its tables as its documents and DESIGN.md list them, ids and
-- times made by its own code, with a signal that was routed three times.
CREATE TYPE venue_t AS ENUM ('SPOT', 'GMX', 'HYPERLIQUID');
CREATE TYPE status_t AS ENUM ('DRAFT', 'ACTIVE', 'PAUSED');
CREATE TABLE agents (id uuid PRIMARY KEY, creator_wallet text NOT NULL, name text NOT NULL, venue venue_t NOT NULL,
    status status_t NOT NULL, weights smallint[] NOT NULL, profit_receiver_address text NOT NULL, avatar text);
CREATE TABLE agent_deployments (id uuid PRIMARY KEY, agent_id uuid NOT NULL REFERENCES agents, user_wallet text NOT NULL,
    safe_wallet text NOT NULL, status status_t NOT NULL, sub_active boolean NOT NULL);
CREATE TABLE signals (id uuid PRIMARY KEY, agent_id uuid NOT NULL REFERENCES agents, token_symbol text NOT NULL,
    venue venue_t NOT NULL, side text NOT NULL, size_model jsonb NOT NULL, risk_model jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), skipped_reason text, tweets text[]);
CREATE TABLE positions (id uuid PRIMARY KEY, deployment_id uuid NOT NULL REFERENCES agent_deployments,
    signal_id uuid NOT NULL REFERENCES signals, venue venue_t NOT NULL, token_symbol text NOT NULL, side text NOT NULL,
    qty numeric NOT NULL, entry_price numeric NOT NULL, stop_loss numeric, take_profit numeric, status text NOT NULL,
    opened_at timestamptz NOT NULL, closed_at timestamptz, exit_price numeric, exit_reason text, pnl numeric, entry_tx_hash text);
CREATE TABLE venue_markets (id uuid PRIMARY KEY, venue venue_t NOT NULL, token_symbol text NOT NULL, market_name text NOT NULL,
    market_index int, is_active boolean NOT NULL, min_position numeric, max_leverage numeric, "group" text,
    current_price numeric, last_synced timestamptz NOT NULL, metadata jsonb);
CREATE TABLE venue_routing_config (id uuid PRIMARY KEY, agent_id uuid UNIQUE, venue_priority text[],
    routing_strategy text, failover_enabled boolean, created_at timestamptz, updated_at timestamptz);
CREATE TABLE venue_routing_history (id uuid PRIMARY KEY, signal_id uuid, token_symbol text, requested_venue venue_t,
    selected_venue venue_t NOT NULL, routing_reason text, checked_venues text[], venue_availability jsonb,
    routing_duration_ms int, created_at timestamptz DEFAULT now());
INSERT INTO agents VALUES (gen_random_uuid(), '0xc', 'old', 'HYPERLIQUID', 'ACTIVE', '{1,2}', '0xp', 'face');
INSERT INTO agent_deployments SELECT gen_random_uuid(), id, '0xu', '0xs', 'ACTIVE', true FROM agents;
INSERT INTO signals SELECT gen_random_uuid(), id, 'BTC', 'HYPERLIQUID', 'LONG', '{}', '{}', now(), NULL, '{t}' FROM agents;
INSERT INTO positions SELECT gen_random_uuid(), d.id, s.id, 'HYPERLIQUID', 'BTC', 'LONG', 1, 2, NULL, NULL, 'CLOSED', now()
    FROM agent_deployments d, signals s;
INSERT INTO venue_routing_history
    SELECT gen_random_uuid(), s.id, 'BTC', 'HYPERLIQUID', 'HYPERLIQUID', 'old', '{}', '{}', 1, now() + n * interval '1 s'
    FROM signals s, generate_series(1, 3) n;
INSERT INTO venue_routing_history (id, selected_venue) VALUES (gen_random_uuid(), 'GMX'), (gen_random_uuid(), 'GMX');
INSERT INTO venue_routing_config VALUES (gen_random_uuid(), NULL, '{GMX}', 'FIRST_AVAILABLE', true, now(), now());
