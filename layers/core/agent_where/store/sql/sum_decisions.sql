-- One step of what keeps the statistics cheap.
SELECT sum_decisions() AS more;
