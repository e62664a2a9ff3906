-- The world's clock in the place of the server's: found before pg_catalog's by the search path of the harness's role.
CREATE TABLE world_clock (at timestamptz NOT NULL);
INSERT INTO world_clock VALUES (pg_catalog.now());
CREATE FUNCTION public.now() RETURNS timestamptz STABLE LANGUAGE sql AS 'SELECT at FROM public.world_clock';
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql AS 'SELECT at FROM public.world_clock';
