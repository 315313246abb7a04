"""Say on each table whether it holds personal data, so that a catalog or a dump says it.

The texts begin with a word that a program can look for: `personal:`, `technical:` or `record of acts:`.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

COMMENTS = {
    "access_counts": "technical: how many events of the access log a day had; names nobody.",
    "access_events": "personal: who came to the door, when and from which address; addresses go after 30 days.",
    "audit_events": "record of acts: who did what; rows are only ever added, each chained to the one before.",
    "audit_keeping": "technical: how long the audit is kept.",
    "audit_turns": "technical: never a row; whoever adds to the audit holds a lock on it.",
    "companies": "personal: organisations that the customer works with; sole traders are people.",
    "contact_companies": "personal: who works where, and as what.",
    "contacts": "personal: people that the customer works with.",
    "erasures": "record of acts: who had a person erased and the receipt; names nobody.",
    "exports": "technical: exports that were asked for; the files lie elsewhere, sealed.",
    "import_rows": "personal: staged rows of an import; those refused or with skipped cells stay for 30 days.",
    "import_updates": "personal: what an import would change; goes after 30 days.",
    "imports": "technical: files that were imported and what became of their rows.",
    "jobs": "technical: the ledger of work; arguments are ids, or sealed while they are needed.",
    "logos": "technical: the customer's logo, drawn anew without the metadata of the file.",
    "mail_choices": "personal: which mails somebody wants.",
    "mails": "personal: mails to the customer's own users.",
    "notifications": "personal: what somebody was told, for ninety days.",
    "page_reads": "record of acts: who had which list on the screen, without a value; sealed into the audit.",
    "record_changes": "personal: what a field was before and after a change.",
    "remember_series": "technical: remembered devices; only hashes of their tokens.",
    "roles": "technical: roles that the customer made, and what each may do.",
    "schema_version": "technical: the versions of this schema.",
    "sign_in_policy": "technical: what the customer asks of its people's logins.",
    "sso_identities": "personal: whose login at the customer's identity provider is whose here.",
    "sso_provider": "technical: the customer's identity provider; the client's secret is sealed.",
    "team_members": "personal: who is in which team.",
    "teams": "technical: the customer's teams.",
    "tombstones": "technical: who was erased, as marks that name nobody.",
    "user_factors": "technical: passkeys, sealed secrets of authenticator apps, hashes of recovery codes.",
    "user_sessions": "technical: logins in force; only hashes of their ids.",
    "user_tokens": "technical: single-use links; only hashes of their secrets.",
    "users": "personal: the customer's own people who log in.",
}


def upgrade() -> None:
    for table, comment in COMMENTS.items():
        quoted = comment.replace("'", "''")
        op.execute(f"COMMENT ON TABLE {table} IS '{quoted}'")
