"""The roles that the functions log in as, made where RDS checks logins with IAM.

There, what only reads and what only takes signals in have roles of their own. Such a role has no
password, so there is nothing to hand over: whoever may call rds-db:connect gets in. What it may
then do is in rights.py. Anywhere else roles are the operator's to make.
"""

from agent_where.migrations import LOCK_KEY
from agent_where.rights import ROLES
from agent_where.store.connection import Database

_FOUND = """
SELECT quote_ident(:role) AS quoted,
       EXISTS (SELECT FROM pg_roles WHERE rolname = :role) AS exists,
       EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') AS has_iam,
       EXISTS (SELECT FROM pg_roles WHERE rolname = :role)
           AND EXISTS (SELECT FROM pg_auth_members m
                       JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON r.oid = m.member
                       WHERE g.rolname = 'rds_iam' AND r.rolname = :role) AS is_let_in,
       (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_create
"""


def kinds_of_roles(database: Database, *, logs_in_with_iam: bool) -> tuple[str, ...]:
    """The kinds of roles, keys of rights.ROLES, that the functions log in as."""
    if not logs_in_with_iam:
        return ("",)
    found = database.run("SELECT FROM pg_roles WHERE rolname = 'rds_iam'")
    return tuple(ROLES) if found else ("",)


def make_iam_role(database: Database, role: str) -> None:
    """Make the role, and let it log in with IAM tokens. Safe to repeat.

    Nothing happens on a server without IAM, and to whom is logged in without the right to make
    roles: then a role that is missing is a finding of the report.

    Raises:
        DatabaseRefused: whoever is logged in may not grant rds_iam.
        Unavailable: the database is away.
    """
    found = database.run(_FOUND, role=role)[0]
    if not (found["has_iam"] and found["may_create"]):
        return
    statements = [f"SELECT pg_advisory_xact_lock({LOCK_KEY});"]
    if not found["exists"]:
        statements.append(f"CREATE ROLE {found['quoted']} LOGIN;")
    if not found["is_let_in"]:
        statements.append(f"GRANT rds_iam TO {found['quoted']};")
    if len(statements) > 1:
        database.script("\n".join(statements))
