-- The venues by name. MULTI is what a signal asks for when the router is to choose.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'venue_t') THEN
        CREATE TYPE venue_t AS ENUM ('SPOT', 'GMX', 'HYPERLIQUID', 'OSTIUM', 'MULTI');
    END IF;
END
$$;

ALTER TYPE venue_t ADD VALUE IF NOT EXISTS 'HYPERLIQUID';
ALTER TYPE venue_t ADD VALUE IF NOT EXISTS 'OSTIUM';
ALTER TYPE venue_t ADD VALUE IF NOT EXISTS 'MULTI';
