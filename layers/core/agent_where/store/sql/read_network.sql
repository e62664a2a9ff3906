-- The network this database serves, as setup recorded it.
SELECT network FROM installation;
