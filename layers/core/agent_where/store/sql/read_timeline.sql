-- PostgreSQL's timeline, from the WAL that is being written: a promoted standby is on a new one from its first write on, where the
-- control file keeps the old one until a checkpoint has ended, minutes later. Refused by a standby, which writes none.
SELECT CAST(CAST('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8) AS bit(32)) AS bigint) AS timeline;
