"""What functions are told to connect to: a name, and where it leads is looked up each time."""

NAME, NOMINAL_PORT = "localhost", 5432
"""A database on loopback, by a name: there needs to be no TLS."""
