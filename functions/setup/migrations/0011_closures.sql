-- What becomes of positions without an order of ours: a liquidation, a close by the user's own hand, one by the venue. And what
-- an order did after all that had ended as if nothing of it had executed: the position it opened is marked unexpected.
ALTER TABLE positions
    ADD COLUMN unexpected boolean NOT NULL DEFAULT false,      -- its id is then that of the order that opened it
    ALTER COLUMN signal_id DROP NOT NULL,                      -- which traded elsewhere, or may yet: the order knows it
    ADD CONSTRAINT positions_unexpected_has_no_signal CHECK (unexpected = (signal_id IS NULL)) NOT VALID;
CREATE INDEX positions_live ON positions (account, venue) WHERE mode = 'LIVE' AND status = 'OPEN';
CREATE INDEX venue_orders_live ON venue_orders (account, venue, settled_at) WHERE mode = 'LIVE' AND sent_at IS NOT NULL;

-- One part of one execution at the venue: what it took from one position.
CREATE TABLE venue_closures (
    venue         venue_t NOT NULL,
    venue_fill_id text NOT NULL,
    position_id   uuid NOT NULL REFERENCES positions,
    size          numeric NOT NULL CHECK (size > 0),           -- base units
    fill_size     numeric NOT NULL,                            -- of the whole execution
    price         numeric NOT NULL CHECK (price > 0),          -- USD per base unit
    fee           numeric NOT NULL,                            -- USD, of this part
    closed_by     text NOT NULL CHECK (closed_by IN ('LIQUIDATION', 'USER', 'VENUE', 'SIGNAL', 'TRIGGER')),
    reason        text NOT NULL CHECK (reason <> ''),
    at            timestamptz NOT NULL,                        -- the venue's time
    booked_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (venue, venue_fill_id, position_id),
    CONSTRAINT venue_closures_part CHECK (size <= fill_size)
);
CREATE INDEX venue_closures_by_position ON venue_closures (position_id);
CREATE TRIGGER venue_closures_append_only BEFORE UPDATE OR DELETE ON venue_closures
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER venue_closures_no_truncate BEFORE TRUNCATE ON venue_closures EXECUTE FUNCTION refuse_change();

ALTER TABLE venue_accounts
    ADD COLUMN compared_at timestamptz,                        -- when the ledger was last compared with the venue
    ADD COLUMN agreed_at   timestamptz,                        -- when they last agreed, in everything
    ADD COLUMN unexplained text[] NOT NULL DEFAULT '{}';       -- the markets where what the venue holds has no explanation

-- What brought a position down, in the order in which it was booked. `part` is how much of it counts: never more in
-- all than there was to close. Beyond that an exit has closed what its account held besides, in a market that nets.
CREATE FUNCTION exits_of(of_position uuid)
RETURNS TABLE (venue_fill_id text, is_order boolean, size numeric, price numeric, fee numeric, part numeric) STABLE LANGUAGE sql AS $$
    WITH booked AS (
        SELECT f.venue_fill_id, true AS is_order, f.size, f.price, f.fee, o.settled_at AS booked_at, f.at
        FROM venue_orders o JOIN venue_fills f ON f.order_id = o.id
        WHERE o.position_id = of_position AND o.purpose <> 'ENTRY' AND o.status = 'FILLED'
        UNION ALL
        SELECT c.venue_fill_id, false, c.size, c.price, c.fee, c.booked_at, c.at
        FROM venue_closures c WHERE c.position_id = of_position
    ), counted AS (
        SELECT b.*, sum(b.size) OVER (ORDER BY b.booked_at, b.at, b.venue_fill_id, b.is_order ROWS UNBOUNDED PRECEDING) - b.size AS before
        FROM booked b
    )
    SELECT c.venue_fill_id, c.is_order, c.size, c.price, c.fee, least(c.size, greatest(0, p.qty - c.before))
    FROM counted c, positions p
    WHERE p.id = of_position
$$;

-- The figures of a position with exits, from nothing but fills and closures. pnl is what was realised so far, less
-- all fees; exit_price is the average of all exits. No row without any.
CREATE FUNCTION books_of(of_position uuid)
RETURNS TABLE (open_qty numeric, exit_price numeric, fees_usd numeric, pnl numeric) STABLE LANGUAGE sql AS $$
    WITH entries AS (
        SELECT sum(f.size) AS size, sum(f.size * f.price) AS value, sum(f.fee) AS fee
        FROM venue_orders o JOIN venue_fills f ON f.order_id = o.id
        WHERE (o.position_id = of_position AND o.purpose = 'ENTRY' AND o.status = 'FILLED') OR o.id = of_position
    ), exits AS (
        SELECT sum(x.part) AS size, sum(x.part * x.price) AS value,
               sum(CASE WHEN x.part = x.size THEN x.fee ELSE x.fee * x.part / x.size END) AS fee
        FROM exits_of(of_position) x
    )
    SELECT p.qty - x.size, x.value / x.size, e.fee + x.fee,
           (x.value - e.value * x.size / e.size) * CASE p.side WHEN 'LONG' THEN 1 ELSE -1 END - (e.fee + x.fee)
    FROM positions p, entries e, exits x
    WHERE p.id = of_position AND x.size > 0
$$;

-- How much of a stored fill the positions account for as their own orders' doing: all of an entry's, and of an
-- exit's what it closed of its own position. Of an exit that had ended as nothing executed: nothing.
CREATE FUNCTION counted_of(of_venue venue_t, of_fill text) RETURNS numeric STABLE LANGUAGE sql AS $$
    SELECT coalesce((
        SELECT CASE WHEN o.purpose = 'ENTRY' THEN f.size
                    WHEN o.status = 'FILLED' THEN (SELECT sum(x.part) FROM exits_of(o.position_id) x
                                                   WHERE x.venue_fill_id = f.venue_fill_id AND x.is_order) END
        FROM venue_fills f JOIN venue_orders o ON o.id = f.order_id
        WHERE f.venue = of_venue AND f.venue_fill_id = of_fill
    ), 0)
$$;

CREATE FUNCTION guard_new_closure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM positions p
        WHERE p.id = NEW.position_id AND p.venue = NEW.venue AND p.mode = 'LIVE' AND p.status::text = 'OPEN'
    ) THEN
        RAISE EXCEPTION 'closure by %: no open position of its venue is traded for real under that id', NEW.venue_fill_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.booked_at := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER venue_closures_begin BEFORE INSERT ON venue_closures FOR EACH ROW EXECUTE FUNCTION guard_new_closure();

-- Looked at when the transaction commits: closure and position are written one after the other.
CREATE FUNCTION closure_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM exits_of(NEW.position_id) x
               WHERE x.venue_fill_id = NEW.venue_fill_id AND NOT x.is_order AND x.part < x.size) THEN
        RAISE EXCEPTION 'closure by %: it closes more than is open', NEW.venue_fill_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF (SELECT p.open_qty FROM positions p WHERE p.id = NEW.position_id)
       IS DISTINCT FROM (SELECT b.open_qty FROM books_of(NEW.position_id) b) THEN
        RAISE EXCEPTION 'closure by %: its position does not show it', NEW.venue_fill_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT FROM venue_fills f
               WHERE f.venue = NEW.venue AND f.venue_fill_id = NEW.venue_fill_id AND f.size <> NEW.fill_size)
       OR counted_of(NEW.venue, NEW.venue_fill_id)
          + (SELECT sum(c.size) FROM venue_closures c WHERE c.venue = NEW.venue AND c.venue_fill_id = NEW.venue_fill_id)
          > (SELECT min(c.fill_size) FROM venue_closures c WHERE c.venue = NEW.venue AND c.venue_fill_id = NEW.venue_fill_id) THEN
        RAISE EXCEPTION 'closure by %: more of it is booked than was executed', NEW.venue_fill_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER venue_closures_whole AFTER INSERT ON venue_closures
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION closure_is_whole();

CREATE FUNCTION guard_unexpected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM venue_orders o
        WHERE o.id = NEW.id AND o.purpose = 'ENTRY' AND o.status IN ('REJECTED', 'EXPIRED')
          AND (o.deployment_id, o.venue, o.account, o.mode, o.token_symbol, o.side)
              = (NEW.deployment_id, NEW.venue, NEW.account, NEW.mode, NEW.token_symbol, NEW.side::text)
          AND NEW.qty = (SELECT sum(f.size) FROM venue_fills f WHERE f.order_id = o.id)
    ) THEN
        RAISE EXCEPTION 'position %: no order of that id executed after it had ended as if it had not', NEW.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER positions_unexpected BEFORE INSERT ON positions FOR EACH ROW
    WHEN (NEW.unexpected) EXECUTE FUNCTION guard_unexpected();

-- As before, and: what was closed is not open again.
CREATE OR REPLACE FUNCTION guard_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.deployment_id, NEW.signal_id, NEW.venue, NEW.account, NEW.mode, NEW.token_symbol, NEW.side, NEW.opened_at, NEW.unexpected)
       IS DISTINCT FROM
       (OLD.id, OLD.deployment_id, OLD.signal_id, OLD.venue, OLD.account, OLD.mode, OLD.token_symbol, OLD.side, OLD.opened_at, OLD.unexpected) THEN
        RAISE EXCEPTION 'position %: what was opened is never changed', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    -- Funding may be known later; nothing else may.
    IF OLD.status::text = 'CLOSED'
       AND to_jsonb(OLD) - ARRAY['pnl', 'fees_usd'] <> to_jsonb(NEW) - ARRAY['pnl', 'fees_usd'] THEN
        RAISE EXCEPTION 'position %: CLOSED is an end', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    -- More than was ever bought is for the check positions_open_part to refuse.
    IF NEW.open_qty > OLD.open_qty AND NEW.open_qty <= NEW.qty THEN
        RAISE EXCEPTION 'position %: what was closed is not open again', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

-- As before, and the unexpected ones: a CLOSE takes those too.
CREATE OR REPLACE FUNCTION exposures_of(of_signal uuid) RETURNS jsonb STABLE LANGUAGE sql AS $$
    WITH closing AS (SELECT * FROM signals WHERE id = of_signal), exposed AS (
        SELECT p.id AS position_id, p.deployment_id, p.venue, p.account, p.mode, e.market_name, p.side, p.leverage,
               NULL::uuid AS after_order_id
        FROM closing c
        JOIN agent_deployments d ON d.agent_id = c.agent_id
        JOIN positions p ON p.deployment_id = d.id AND p.token_symbol = c.token_symbol AND p.status = 'OPEN'
        JOIN venue_orders e ON (e.position_id = p.id AND e.purpose = 'ENTRY' AND e.status = 'FILLED') OR (p.unexpected AND e.id = p.id)
        JOIN signals s ON s.id = e.signal_id AND coalesce(s.received_at, s.created_at) <= coalesce(c.received_at, now())
        UNION ALL
        SELECT o.position_id, o.deployment_id, o.venue, o.account, o.mode, o.market_name, o.side, o.leverage, o.id
        FROM closing c
        JOIN signals s ON s.agent_id = c.agent_id AND s.token_symbol = c.token_symbol
                      AND coalesce(s.received_at, s.created_at) <= coalesce(c.received_at, now())
        JOIN venue_orders o ON o.signal_id = s.id AND o.purpose = 'ENTRY' AND o.status IN ('SENT', 'ACCEPTED')
    )
    SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.position_id), '[]')
    FROM exposed x, closing c
    WHERE c.side IS NULL OR c.side = x.side
$$;
