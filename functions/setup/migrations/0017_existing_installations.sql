-- What an installation of the original system needs beside 0001 to 0003, so that its code goes on writing and this
-- system's rows are kept as they are written. Nothing of this does anything to a database that began with this system.

-- Global configs that were merged into the newest before 0003 (agent_where/existing.py), whole, to be looked at or put back.
CREATE TABLE IF NOT EXISTS venue_routing_config_merged (
    id        uuid PRIMARY KEY,                                -- of the row that was taken out
    kept_id   uuid NOT NULL,                                   -- of the row that stayed
    config    jsonb NOT NULL,                                  -- the row as it was
    merged_at timestamptz NOT NULL DEFAULT now()
);

-- The original writes a row each time that it routes a signal and knows no attempts: they are numbered here.
CREATE FUNCTION number_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('venue_routing_history ' || coalesce(NEW.signal_id::text, ''), 0));
    IF NEW.signal_id IS NULL THEN
        NEW.attempt := (SELECT coalesce(max(attempt), 0) + 1 FROM venue_routing_history
                        WHERE signal_id IS NULL AND deployment_id IS NULL);
    ELSE
        NEW.attempt := (SELECT coalesce(max(attempt), 0) + 1 FROM venue_routing_history
                        WHERE signal_id = NEW.signal_id AND deployment_id IS NULL);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER venue_routing_history_numbered BEFORE INSERT ON venue_routing_history FOR EACH ROW
    WHEN (NEW.strategy IS NULL AND NEW.deployment_id IS NULL AND NEW.attempt = 1) EXECUTE FUNCTION number_attempt();

DO $$
DECLARE
    found record;
BEGIN
    -- Times that the original's code sets itself, and this system's statements leave to the table.
    FOR found IN
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND column_name = 'updated_at' AND column_default IS NULL
          AND table_name IN ('agents', 'agent_deployments', 'signals', 'positions', 'venue_markets')
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET DEFAULT now()', found.table_name, found.column_name);
    END LOOP;

    -- Amounts of so many places would be rounded on their way in, and a ledger that rounds does not add up. To take the
    -- limit off rewrites no row.
    FOR found IN
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND data_type = 'numeric' AND numeric_precision IS NOT NULL
          AND (table_name, column_name) IN (
              ('positions', 'qty'), ('positions', 'entry_price'), ('positions', 'stop_loss'), ('positions', 'take_profit'),
              ('positions', 'exit_price'), ('positions', 'pnl'),
              ('venue_markets', 'min_position'), ('venue_markets', 'max_leverage'), ('venue_markets', 'current_price'))
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE numeric', found.table_name, found.column_name);
    END LOOP;

    -- Words that the original keeps as types of its own: this system's statements say them as text.
    FOR found IN
        SELECT DISTINCT t.oid::regtype::text AS name FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = current_schema()::regnamespace
        JOIN pg_type t ON t.oid = a.atttypid AND t.typtype = 'e'
        WHERE (c.relname, a.attname) IN (
              ('agents', 'status'), ('agent_deployments', 'status'), ('positions', 'status'), ('signals', 'side'),
              ('positions', 'side'), ('positions', 'exit_reason'))
          AND NOT EXISTS (SELECT FROM pg_cast k WHERE k.castsource = 'text'::regtype AND k.casttarget = t.oid)
    LOOP
        EXECUTE format('CREATE CAST (text AS %s) WITH INOUT AS ASSIGNMENT', found.name);
    END LOOP;
END
$$;
