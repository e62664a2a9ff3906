-- What the router is told to do, and what it did.
CREATE TABLE IF NOT EXISTS venue_routing_config (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    agent_id         uuid REFERENCES agents,                   -- null: the global row
    venue_priority   text[] NOT NULL CHECK (cardinality(venue_priority) > 0),
    routing_strategy text NOT NULL DEFAULT 'FIRST_AVAILABLE',
    failover_enabled boolean NOT NULL DEFAULT true,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE venue_routing_config
    ALTER COLUMN id SET DEFAULT gen_random_uuid(),
    ALTER COLUMN created_at SET DEFAULT now(),
    ALTER COLUMN updated_at SET DEFAULT now();
CREATE UNIQUE INDEX IF NOT EXISTS venue_routing_config_one_each
    ON venue_routing_config (agent_id) NULLS NOT DISTINCT;

CREATE TABLE IF NOT EXISTS venue_routing_history (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    signal_id           uuid NOT NULL REFERENCES signals,
    token_symbol        text NOT NULL,
    requested_venue     venue_t NOT NULL,
    selected_venue      venue_t,                               -- null: none
    routing_reason      text NOT NULL,
    checked_venues      text[] NOT NULL,
    venue_availability  jsonb NOT NULL,
    routing_duration_ms int NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE venue_routing_history
    ADD COLUMN IF NOT EXISTS attempt             int NOT NULL DEFAULT 1 CHECK (attempt > 0),
    ADD COLUMN IF NOT EXISTS deployment_id       uuid REFERENCES agent_deployments,   -- null: the signal's first decision
    ADD COLUMN IF NOT EXISTS routing_duration_us int,
    ADD COLUMN IF NOT EXISTS strategy            text,
    ADD COLUMN IF NOT EXISTS config_id           uuid,         -- null: the built-in default
    ADD COLUMN IF NOT EXISTS failover_enabled    boolean,
    ADD COLUMN IF NOT EXISTS skipped_reason      text,
    ADD COLUMN IF NOT EXISTS candidates          jsonb,
    ALTER COLUMN selected_venue DROP NOT NULL,
    ALTER COLUMN id SET DEFAULT gen_random_uuid(),
    ALTER COLUMN created_at SET DEFAULT now();
-- The original may have routed a signal several times: those rows are its attempts, in the order they were made.
-- Once the index is there they have been counted.
DO $$
BEGIN
    IF to_regclass('venue_routing_history_one_each') IS NULL THEN
        UPDATE venue_routing_history h SET attempt = counted.attempt
        FROM (SELECT id, row_number() OVER (PARTITION BY signal_id, deployment_id ORDER BY created_at, id) AS attempt
              FROM venue_routing_history) counted
        WHERE counted.id = h.id AND counted.attempt <> h.attempt;
    END IF;
END
$$;
CREATE UNIQUE INDEX IF NOT EXISTS venue_routing_history_one_each
    ON venue_routing_history (signal_id, deployment_id, attempt) NULLS NOT DISTINCT;
-- What the statistics read: first decisions of MULTI signals, all or of one token, and failovers.
CREATE INDEX IF NOT EXISTS venue_routing_history_decisions ON venue_routing_history (created_at DESC, id DESC)
    INCLUDE (token_symbol, selected_venue, routing_duration_us, routing_duration_ms)
    WHERE requested_venue = 'MULTI' AND attempt = 1 AND deployment_id IS NULL;
CREATE INDEX IF NOT EXISTS venue_routing_history_decisions_of_token ON venue_routing_history (token_symbol, created_at DESC, id DESC)
    INCLUDE (selected_venue, routing_duration_us, routing_duration_ms)
    WHERE requested_venue = 'MULTI' AND attempt = 1 AND deployment_id IS NULL;
CREATE INDEX IF NOT EXISTS venue_routing_history_failovers ON venue_routing_history (created_at) WHERE attempt > 1;

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE OR REPLACE TRIGGER venue_routing_history_append_only
    BEFORE UPDATE OR DELETE ON venue_routing_history FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER venue_routing_history_no_truncate
    BEFORE TRUNCATE ON venue_routing_history FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
