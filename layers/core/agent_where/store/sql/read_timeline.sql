-- PostgreSQL's timeline at this moment.
SELECT timeline_now() AS timeline;
