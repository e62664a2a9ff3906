-- Executions of which orders and closures together account for more than there was.
SELECT c.venue_fill_id AS id, min(c.at) AS since, count(*) OVER () AS total,
       concat('executed ', min(c.fill_size), ', closures have ', sum(c.size), ', its order ', counted_of(c.venue, c.venue_fill_id)) AS detail
FROM venue_closures c
GROUP BY c.venue, c.venue_fill_id
HAVING counted_of(c.venue, c.venue_fill_id) + sum(c.size) > min(c.fill_size)
ORDER BY min(c.at) LIMIT :at_most;
