-- The ledger's rules as triggers: which status may follow which, what is frozen when, what an end needs.
CREATE FUNCTION guard_new_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'PLANNED' THEN
        RAISE EXCEPTION 'order %: an order begins PLANNED, not %', NEW.id, NEW.status USING ERRCODE = 'check_violation';
    END IF;
    IF (SELECT d.agent_id FROM agent_deployments d WHERE d.id = NEW.deployment_id)
       <> (SELECT s.agent_id FROM signals s WHERE s.id = NEW.signal_id) THEN
        RAISE EXCEPTION 'order %: its deployment does not follow the agent of its signal', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.attempt > 1 AND NOT EXISTS (
        SELECT FROM venue_orders o
        WHERE o.signal_id = NEW.signal_id AND o.deployment_id = NEW.deployment_id AND o.leg = NEW.leg
          AND o.attempt = NEW.attempt - 1 AND o.status IN ('REJECTED', 'EXPIRED')
    ) THEN
        RAISE EXCEPTION 'order %: attempt % needs attempt % to have ended with nothing executed',
            NEW.id, NEW.attempt, NEW.attempt - 1 USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER venue_orders_begin BEFORE INSERT ON venue_orders
    FOR EACH ROW EXECUTE FUNCTION guard_new_order();

CREATE FUNCTION guard_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- client_order_id is made from the id, after this has run.
    may_change constant text[] := ARRAY['client_order_id', 'status', 'collateral_usd', 'size', 'limit_price', 'leverage', 'filled_size',
        'average_price', 'fee', 'venue_ref', 'refusal', 'detail', 'sent_under', 'due_at', 'enqueued_at', 'sent_at', 'settled_at'];
BEGIN
    IF to_jsonb(OLD) - may_change <> to_jsonb(NEW) - may_change THEN
        RAISE EXCEPTION 'order %: what was intended is never changed', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status IN ('FILLED', 'REJECTED', 'EXPIRED') THEN
        RAISE EXCEPTION 'order %: % is an end', OLD.id, OLD.status USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status <> 'PLANNED' AND (
        NEW.size IS DISTINCT FROM OLD.size OR NEW.limit_price IS DISTINCT FROM OLD.limit_price
        OR NEW.collateral_usd IS DISTINCT FROM OLD.collateral_usd OR NEW.leverage <> OLD.leverage
        OR NEW.sent_under IS DISTINCT FROM OLD.sent_under OR NEW.sent_at IS DISTINCT FROM OLD.sent_at
    ) THEN
        RAISE EXCEPTION 'order %: what was stored with SENT is frozen', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('PLANNED', 'SENT'), ('PLANNED', 'REJECTED'),
        ('SENT', 'ACCEPTED'), ('SENT', 'FILLED'), ('SENT', 'REJECTED'), ('SENT', 'EXPIRED'),
        ('ACCEPTED', 'FILLED'), ('ACCEPTED', 'REJECTED'), ('ACCEPTED', 'EXPIRED')
    ) THEN
        RAISE EXCEPTION 'order %: % cannot become %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status = 'REJECTED' AND NEW.sent_at IS DISTINCT FROM OLD.sent_at THEN
        RAISE EXCEPTION 'order %: it was never sent', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    -- No back-dating: what happened in this transaction happened now.
    IF (NEW.sent_at IS DISTINCT FROM OLD.sent_at AND NEW.sent_at NOT BETWEEN now() AND clock_timestamp())
       OR (NEW.settled_at IS DISTINCT FROM OLD.settled_at AND NEW.settled_at NOT BETWEEN now() AND clock_timestamp()) THEN
        RAISE EXCEPTION 'order %: sent_at and settled_at are the database''s own time', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status IN ('REJECTED', 'EXPIRED') AND EXISTS (SELECT FROM venue_fills f WHERE f.order_id = NEW.id) THEN
        RAISE EXCEPTION 'order %: it has fills, so it cannot become %', OLD.id, NEW.status USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.settled_at IS NOT NULL THEN
        NEW.due_at := NULL;                                    -- an end is never due
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER venue_orders_guard BEFORE UPDATE ON venue_orders FOR EACH ROW EXECUTE FUNCTION guard_order();

-- How much of a position an order may still close: what is open, less what other orders may be closing
-- at this moment. Bounds that rest at the venue do not count: they are cancelled when the rest is gone.
CREATE FUNCTION closable_qty(of_position uuid, for_order uuid) RETURNS numeric STABLE LANGUAGE sql AS $$
    SELECT p.open_qty - coalesce((
        SELECT sum(o.size) FROM venue_orders o
        WHERE o.position_id = p.id AND o.id <> for_order AND o.purpose <> 'ENTRY'
          AND (o.status = 'SENT' OR (o.status = 'ACCEPTED' AND o.purpose = 'CLOSE'))), 0)
    FROM positions p WHERE p.id = of_position
$$;

-- What must hold at the moment an order may reach the venue.
CREATE FUNCTION guard_sending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM venue_accounts a
        WHERE a.account = NEW.account AND a.venue = NEW.venue
          AND a.lease_token = NEW.sent_under AND a.lease_until > clock_timestamp()
    ) THEN
        RAISE EXCEPTION 'order %: sent without the lease of its account', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT FROM venue_orders o WHERE o.id = NEW.after_order_id AND o.settled_at IS NULL) THEN
        RAISE EXCEPTION 'order %: the order it waits for has not ended', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.purpose = 'ENTRY' THEN
        IF EXISTS (
            SELECT FROM venue_orders o JOIN venue_fills f ON f.order_id = o.id
            WHERE o.signal_id = NEW.signal_id AND o.deployment_id = NEW.deployment_id AND o.purpose = 'ENTRY'
        ) THEN
            RAISE EXCEPTION 'order %: an earlier attempt did execute', NEW.id USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT FROM positions p
        WHERE p.id = NEW.position_id AND p.deployment_id = NEW.deployment_id AND p.venue = NEW.venue AND p.account = NEW.account
          AND p.token_symbol = NEW.token_symbol AND p.mode = NEW.mode AND p.side::text <> NEW.side AND p.status::text = 'OPEN'
    ) THEN
        RAISE EXCEPTION 'order %: it closes no open position of its own', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.size > closable_qty(NEW.position_id, NEW.id) THEN
        RAISE EXCEPTION 'order %: it closes more than is open', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER venue_orders_sending BEFORE UPDATE ON venue_orders FOR EACH ROW
    WHEN (OLD.status = 'PLANNED' AND NEW.status = 'SENT') EXECUTE FUNCTION guard_sending();

-- Looked at when the transaction commits, since the parts of one change are written one after the other.
CREATE FUNCTION order_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    executed record;
BEGIN
    IF NEW.sent_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM venue_actions a WHERE a.order_id = NEW.id AND a.kind = 'ORDER'
          AND (a.send_count > 0 OR NEW.status NOT IN ('ACCEPTED', 'FILLED'))
    ) THEN
        RAISE EXCEPTION 'order %: % without a stored ORDER action', NEW.id, NEW.status USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status = 'FILLED' THEN
        SELECT sum(f.size) AS size, min(f.price) AS lowest, max(f.price) AS highest INTO executed
        FROM venue_fills f WHERE f.order_id = NEW.id;
        IF NEW.filled_size IS DISTINCT FROM executed.size THEN
            RAISE EXCEPTION 'order %: its fills do not sum to %', NEW.id, NEW.filled_size USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.average_price NOT BETWEEN executed.lowest * 0.999999 AND executed.highest * 1.000001 THEN
            RAISE EXCEPTION 'order %: none of its fills average %', NEW.id, NEW.average_price USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER venue_orders_whole AFTER UPDATE ON venue_orders
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION order_is_whole();

CREATE FUNCTION guard_new_action() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    its_order venue_orders;
BEGIN
    SELECT * INTO its_order FROM venue_orders o WHERE o.id = NEW.order_id;
    IF NEW.kind = 'ORDER' AND its_order.settled_at IS NOT NULL THEN
        RAISE EXCEPTION 'action %: its order has ended', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF its_order.mode = 'LIVE' AND NEW.signer_address IS NULL THEN
        RAISE EXCEPTION 'action %: nothing goes to a venue unsigned', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.kind = 'ORDER' AND NEW.signer_address IS NOT NULL AND NOT EXISTS (
        SELECT FROM venue_accounts a
        WHERE a.account = its_order.account AND a.venue = its_order.venue AND a.signer_address = NEW.signer_address
    ) THEN
        RAISE EXCEPTION 'action %: % is not the signer of its order''s account', NEW.id, NEW.signer_address
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM venue_actions a
               WHERE a.signer_address = NEW.signer_address AND a.nonce = NEW.nonce AND a.order_id <> NEW.order_id) THEN
        RAISE EXCEPTION 'action %: its nonce belongs to another order', NEW.id USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER venue_actions_begin BEFORE INSERT ON venue_actions FOR EACH ROW EXECUTE FUNCTION guard_new_action();

CREATE FUNCTION guard_action() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) - ARRAY['send_count', 'outcome'] <> to_jsonb(NEW) - ARRAY['send_count', 'outcome'] THEN
        RAISE EXCEPTION 'action %: stored bytes are never changed', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.send_count < OLD.send_count THEN
        RAISE EXCEPTION 'action %: a sending cannot be taken back', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.send_count > OLD.send_count AND NEW.kind IN ('ORDER', 'REPLACE') THEN
        IF NEW.expires_at <= clock_timestamp() THEN
            RAISE EXCEPTION 'action %: what has expired is not sent again', OLD.id USING ERRCODE = 'restrict_violation';
        END IF;
        IF EXISTS (SELECT FROM venue_orders o WHERE o.id = NEW.order_id AND o.settled_at IS NOT NULL) THEN
            RAISE EXCEPTION 'action %: its order has ended: nothing is sent again', OLD.id USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER venue_actions_guard BEFORE UPDATE ON venue_actions FOR EACH ROW EXECUTE FUNCTION guard_action();

CREATE FUNCTION guard_new_fill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.venue <> (SELECT o.venue FROM venue_orders o WHERE o.id = NEW.order_id) THEN
        RAISE EXCEPTION 'fill %: % is not the venue of order %', NEW.venue_fill_id, NEW.venue, NEW.order_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER venue_fills_begin BEFORE INSERT ON venue_fills FOR EACH ROW EXECUTE FUNCTION guard_new_fill();

-- Of what may execute, and of what has: both looked at when the transaction commits.
CREATE FUNCTION order_was_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM venue_orders o WHERE o.id = NEW.order_id AND o.sent_at IS NULL) THEN
        RAISE EXCEPTION 'order %: it was never SENT, so it has no row in %', NEW.order_id, TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER venue_actions_of_sent AFTER INSERT ON venue_actions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'ORDER') EXECUTE FUNCTION order_was_sent();
CREATE CONSTRAINT TRIGGER venue_fills_of_sent AFTER INSERT ON venue_fills
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION order_was_sent();

CREATE FUNCTION filled_stays_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM venue_orders o WHERE o.id = NEW.order_id AND o.status = 'FILLED'
               AND o.filled_size <> (SELECT sum(f.size) FROM venue_fills f WHERE f.order_id = o.id)) THEN
        RAISE EXCEPTION 'order %: it is FILLED and has all its fills', NEW.order_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER venue_fills_whole AFTER INSERT ON venue_fills
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION filled_stays_whole();

CREATE TRIGGER venue_fills_append_only BEFORE UPDATE OR DELETE ON venue_fills
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER venue_orders_kept BEFORE DELETE ON venue_orders FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER venue_actions_kept BEFORE DELETE ON venue_actions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER venue_orders_no_truncate BEFORE TRUNCATE ON venue_orders EXECUTE FUNCTION refuse_change();
CREATE TRIGGER venue_actions_no_truncate BEFORE TRUNCATE ON venue_actions EXECUTE FUNCTION refuse_change();
CREATE TRIGGER venue_fills_no_truncate BEFORE TRUNCATE ON venue_fills EXECUTE FUNCTION refuse_change();
