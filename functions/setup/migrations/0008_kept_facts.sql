-- What is true stays true: leases and nonces, decided signals, positions that have ended, the audit, and
-- which network this is. Rows of an existing installation, which have no mode and were not decided here,
-- stay free for the code that owns them.
CREATE FUNCTION guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.lease_token <> OLD.lease_token AND OLD.lease_until > clock_timestamp() THEN
        RAISE EXCEPTION 'account %: another worker holds its lease', OLD.account USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.last_nonce < OLD.last_nonce THEN
        RAISE EXCEPTION 'account %: a nonce is never used twice', OLD.account USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER venue_accounts_guard BEFORE UPDATE ON venue_accounts FOR EACH ROW EXECUTE FUNCTION guard_account();

CREATE FUNCTION guard_decided_signal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.decided_at, NEW.agent_id, NEW.token_symbol, NEW.action, NEW.side, NEW.size_model, NEW.risk_model,
        NEW.requested_venue, NEW.expires_at, NEW.received_at, NEW.body_hash)
       IS DISTINCT FROM
       (OLD.decided_at, OLD.agent_id, OLD.token_symbol, OLD.action, OLD.side, OLD.size_model, OLD.risk_model,
        OLD.requested_venue, OLD.expires_at, OLD.received_at, OLD.body_hash) THEN
        RAISE EXCEPTION 'signal %: it was decided, and is decided once', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER signals_decided_once BEFORE UPDATE ON signals FOR EACH ROW
    WHEN (OLD.decided_at IS NOT NULL) EXECUTE FUNCTION guard_decided_signal();

ALTER TABLE positions
    ADD CONSTRAINT positions_open_part CHECK (mode IS NULL OR (open_qty IS NOT NULL AND open_qty <= qty)) NOT VALID,
    ADD CONSTRAINT positions_closed_when_ended
        CHECK (mode IS NULL OR (status::text = 'CLOSED') = (closed_at IS NOT NULL)) NOT VALID;

CREATE FUNCTION guard_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.deployment_id, NEW.signal_id, NEW.venue, NEW.account, NEW.mode, NEW.token_symbol, NEW.side, NEW.opened_at)
       IS DISTINCT FROM
       (OLD.id, OLD.deployment_id, OLD.signal_id, OLD.venue, OLD.account, OLD.mode, OLD.token_symbol, OLD.side, OLD.opened_at) THEN
        RAISE EXCEPTION 'position %: what was opened is never changed', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    -- Funding may be known later; nothing else may.
    IF OLD.status::text = 'CLOSED'
       AND to_jsonb(OLD) - ARRAY['pnl', 'fees_usd'] <> to_jsonb(NEW) - ARRAY['pnl', 'fees_usd'] THEN
        RAISE EXCEPTION 'position %: CLOSED is an end', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER positions_guard BEFORE UPDATE ON positions FOR EACH ROW
    WHEN (OLD.mode IS NOT NULL) EXECUTE FUNCTION guard_position();
CREATE TRIGGER positions_kept BEFORE DELETE ON positions FOR EACH ROW
    WHEN (OLD.mode IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER positions_no_truncate BEFORE TRUNCATE ON positions EXECUTE FUNCTION refuse_change();

ALTER TABLE venue_routing_history
    ADD CONSTRAINT venue_routing_history_selected_was_checked
        CHECK (selected_venue IS NULL OR (selected_venue <> 'MULTI' AND selected_venue::text = ANY (checked_venues))) NOT VALID;

CREATE FUNCTION refuse_forged_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION '% is written by trading_controls alone', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.recorded_at := clock_timestamp();
    RETURN NEW;
END
$$;
CREATE TRIGGER trading_controls_audit_own BEFORE INSERT ON trading_controls_audit
    FOR EACH ROW EXECUTE FUNCTION refuse_forged_audit();
CREATE TRIGGER trading_controls_no_truncate BEFORE TRUNCATE ON trading_controls EXECUTE FUNCTION refuse_change();
CREATE TRIGGER trading_controls_audit_no_truncate BEFORE TRUNCATE ON trading_controls_audit EXECUTE FUNCTION refuse_change();

CREATE TRIGGER installation_kept BEFORE UPDATE OR DELETE ON installation FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER installation_no_truncate BEFORE TRUNCATE ON installation EXECUTE FUNCTION refuse_change();
