-- Takes this system out of a database of the original system: see docs/migration.md first. One transaction; refuses while
-- anything of this system is still open. Run it as the tables' owner, with the functions gone:
--     psql "$URL" --set ON_ERROR_STOP=1 --single-transaction --file docs/going_back.sql
-- What stays, since it harms nobody: rows that this system wrote into the original's tables, the enum's values, defaults,
-- columns that may now be null, amounts without a limit of places, created_at, and the two routing tables of the original.
DO $$
BEGIN
    IF EXISTS (SELECT FROM venue_orders WHERE status IN ('SENT', 'ACCEPTED')) THEN
        RAISE EXCEPTION 'orders are under way: wait until reconcile has ended them';
    END IF;
    IF EXISTS (SELECT FROM positions WHERE mode = 'LIVE' AND status::text = 'OPEN') THEN
        RAISE EXCEPTION 'live positions of this system are open: close them first, nobody would look after them';
    END IF;
END
$$;

-- Everything that acts on the original's tables.
DROP TRIGGER IF EXISTS signals_decided_once ON signals;
DROP TRIGGER IF EXISTS positions_guard ON positions;
DROP TRIGGER IF EXISTS positions_kept ON positions;
DROP TRIGGER IF EXISTS positions_no_truncate ON positions;
DROP TRIGGER IF EXISTS positions_unexpected ON positions;
DROP TRIGGER IF EXISTS venue_routing_history_append_only ON venue_routing_history;
DROP TRIGGER IF EXISTS venue_routing_history_no_truncate ON venue_routing_history;
DROP TRIGGER IF EXISTS venue_routing_history_numbered ON venue_routing_history;
DROP TRIGGER IF EXISTS venue_routing_history_agent ON venue_routing_history;
DROP TRIGGER IF EXISTS venue_routing_history_late ON venue_routing_history;
DROP TRIGGER IF EXISTS agents_summed_anew ON agents;

-- The global configs that gave way to the newest come back.
DROP INDEX IF EXISTS venue_routing_config_one_each;
INSERT INTO venue_routing_config
SELECT (jsonb_populate_record(NULL::venue_routing_config, config)).* FROM venue_routing_config_merged
ON CONFLICT (id) DO NOTHING;

-- This system's tables, with what they hold: copy them first.
DROP TABLE IF EXISTS venue_closures, venue_fills, venue_actions, venue_orders, venue_accounts, trading_controls,
    trading_controls_audit, system_figures, installation, venue_routing_config_merged, unowned_fills, restores, known_servers, routing_sums,
    routing_summed, routing_late, schema_migrations;

DROP INDEX IF EXISTS agents_by_time, agents_by_creator, agent_deployments_by_agent, agent_deployments_by_user, signals_undecided,
    signals_by_agent_token, positions_by_time, positions_open, positions_by_account, positions_open_by_account,
    positions_live, venue_markets_by_token,
    venue_routing_history_one_each, venue_routing_history_decisions, venue_routing_history_decisions_of_token,
    venue_routing_history_failovers, venue_routing_history_by_time, venue_routing_history_by_token, venue_routing_history_by_venue,
    venue_routing_history_by_agent, venue_routing_history_by_agent_token;

ALTER TABLE agent_deployments DROP COLUMN IF EXISTS venues, DROP COLUMN IF EXISTS max_notional_usd, DROP COLUMN IF EXISTS max_leverage;
ALTER TABLE signals
    DROP COLUMN IF EXISTS requested_venue, DROP COLUMN IF EXISTS action, DROP COLUMN IF EXISTS expires_at,
    DROP COLUMN IF EXISTS received_at, DROP COLUMN IF EXISTS body_hash, DROP COLUMN IF EXISTS decided_at,
    DROP COLUMN IF EXISTS enqueued_at, DROP COLUMN IF EXISTS enqueue_count;
ALTER TABLE positions
    DROP CONSTRAINT IF EXISTS positions_open_part, DROP CONSTRAINT IF EXISTS positions_closed_when_ended,
    DROP CONSTRAINT IF EXISTS positions_unexpected_has_no_signal,
    DROP COLUMN IF EXISTS mode, DROP COLUMN IF EXISTS account, DROP COLUMN IF EXISTS leverage, DROP COLUMN IF EXISTS open_qty,
    DROP COLUMN IF EXISTS fees_usd, DROP COLUMN IF EXISTS venue_ref, DROP COLUMN IF EXISTS closed_by, DROP COLUMN IF EXISTS unexpected,
    DROP COLUMN IF EXISTS carries_bounds;
ALTER TABLE venue_markets DROP COLUMN IF EXISTS is_open, DROP COLUMN IF EXISTS multiplier, DROP COLUMN IF EXISTS taker_fee_bps;
ALTER TABLE venue_routing_history
    DROP CONSTRAINT IF EXISTS venue_routing_history_selected_was_checked,
    DROP COLUMN IF EXISTS attempt, DROP COLUMN IF EXISTS deployment_id, DROP COLUMN IF EXISTS routing_duration_us,
    DROP COLUMN IF EXISTS strategy, DROP COLUMN IF EXISTS config_id, DROP COLUMN IF EXISTS failover_enabled,
    DROP COLUMN IF EXISTS skipped_reason, DROP COLUMN IF EXISTS candidates, DROP COLUMN IF EXISTS agent_id;

DO $$
DECLARE
    found record;
BEGIN
    -- The functions by name, whatever they take; the casts of the original's types from text.
    FOR found IN
        SELECT p.oid::regprocedure::text AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace AND p.proname IN (
            'adopt_unowned', 'audit_control', 'books_of', 'closable_qty', 'closure_is_whole', 'control_for', 'costs_of',
            'counted_of', 'exits_of', 'exposures_of', 'filled_stays_whole', 'forget_sums', 'guard_account', 'guard_action',
            'guard_decided_signal', 'guard_new_action', 'guard_new_closure', 'guard_new_fill', 'guard_new_order',
            'guard_order', 'guard_position', 'guard_restore', 'guard_sending', 'guard_unexpected', 'guard_unowned',
            'has_opposite', 'is_before_restore', 'is_promoted', 'is_superseded', 'note_late_decision', 'number_attempt',
            'order_is_whole', 'order_was_sent', 'refuse_change', 'refuse_forged_audit', 'stretch_of', 'sum_decisions',
            'sum_stretch', 'summed_parts', 'tell_agent', 'timeline_now')
    LOOP
        EXECUTE format('DROP FUNCTION %s', found.name);
    END LOOP;
    FOR found IN
        SELECT t.oid::regtype::text AS name FROM pg_cast k JOIN pg_type t ON t.oid = k.casttarget
        WHERE k.castsource = 'text'::regtype AND t.typtype = 'e' AND t.typnamespace = current_schema()::regnamespace
    LOOP
        EXECUTE format('DROP CAST (text AS %s)', found.name);
    END LOOP;
END
$$;
