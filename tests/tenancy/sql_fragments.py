"""What an attacker would put into a value that ends up inside SQL text. {schema} and {role} are the other tenant's."""

_UNION = "' UNION ALL SELECT "
_NEIGHBOUR = "SELECT last_name FROM {schema}.contacts"

# None of these may show a row or a name of the other tenant, nor change anything of it.
FRAGMENTS = (
    # reading on
    _UNION + "id::text, last_name FROM {schema}.contacts --",
    _UNION + "id::text, email FROM {schema}.users --",
    _UNION + "'', (" + _NEIGHBOUR + " LIMIT 1) --",
    # a second statement
    "'; RESET ROLE; " + _NEIGHBOUR + " --",
    "'; SET ROLE {role}; " + _NEIGHBOUR + " --",
    "'; SET LOCAL ROLE {role}; " + _NEIGHBOUR + " --",
    "'; SET SESSION AUTHORIZATION {role}; " + _NEIGHBOUR + " --",
    "'; SET search_path = {schema}; SELECT id::text, last_name FROM contacts --",
    "'; ROLLBACK; BEGIN; SET LOCAL ROLE {role}; " + _NEIGHBOUR + " --",
    "'; COMMIT; SET ROLE {role} --",
    "'; SAVEPOINT a; SET ROLE {role}; ROLLBACK TO SAVEPOINT a --",
    "'; UPDATE {schema}.contacts SET last_name = 'owned' --",
    "'; DELETE FROM {schema}.contacts --",
    "'; DROP SCHEMA {schema} CASCADE --",
    "'; ALTER ROLE CURRENT_USER SET search_path = {schema} --",
    "'; CREATE TEMP TABLE contacts (id uuid, last_name text) --",
    "'; COPY (SELECT 1) TO PROGRAM 'id' --",
    "'; PREPARE p AS " + _NEIGHBOUR + "; EXECUTE p --",
    "'; DO $$ BEGIN EXECUTE 'SET ROLE {role}'; END $$ --",
    "'; DISCARD ALL --",
    # another role within the one statement
    _UNION + "set_config('role', '{role}', true), '' --",
    _UNION + "set_config('role', '{role}', false), '' --",
    _UNION + "pg_catalog.set_config('role', 'none', false), '' --",
    _UNION + "set_config('search_path', '{schema}', true), '' --",
    _UNION + "set_config('role', '{role}', true), query_to_xml('" + _NEIGHBOUR + "', true, false, '')::text --",
    _UNION + "set_config('role', '{role}', true), word FROM ts_stat('SELECT search FROM {schema}.contacts') --",
    _UNION + "(SELECT setting FROM pg_settings WHERE name = 'role'), '' --",
    # SQL from a string
    _UNION + "'', query_to_xml('" + _NEIGHBOUR + "', true, false, '')::text --",
    _UNION + "'', query_to_xml('RESET ROLE', true, false, '')::text --",
    _UNION + "'', query_to_xml_and_xmlschema('" + _NEIGHBOUR + "', true, false, '')::text --",
    _UNION + "'', table_to_xml('contacts'::regclass, true, false, '')::text --",
    _UNION + "'', schema_to_xml('{schema}', true, false, '')::text --",
    _UNION + "'', database_to_xml(true, false, '')::text --",
    _UNION + "'', cursor_to_xml('c', 1, true, false, '')::text --",
    _UNION + "'', word FROM ts_stat('SELECT to_tsvector(last_name) FROM {schema}.contacts') --",
    _UNION
    + "'', ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, to_tsquery(last_name) FROM {schema}.contacts')::text --",
    _UNION + "* FROM dblink('dbname=qikbiz_tenants', '" + _NEIGHBOUR + "') AS t (a text, b text) --",
    _UNION + "* FROM crosstab('" + _NEIGHBOUR + "') AS t (a text, b text) --",
    # storage and files
    _UNION + "lo_from_bytea(0, 'left')::text, '' --",
    _UNION + "lo_create(0)::text, '' --",
    _UNION + "lo_import('/etc/passwd')::text, '' --",
    _UNION + "convert_from(lo_get(1), 'UTF8'), '' --",
    _UNION + "pg_read_file('/etc/passwd'), '' --",
    _UNION + "pg_ls_dir('.'), '' --",
    # what all share
    _UNION + "pg_try_advisory_lock(1)::text, '' --",
    _UNION + "pg_notify('a', 'b')::text, '' --",
    _UNION + "pg_logical_emit_message(true, 'a', 'b')::text, '' --",
    _UNION + "pg_export_snapshot(), '' --",
    _UNION + "pg_terminate_backend(pid)::text, '' FROM pg_stat_get_activity(NULL) --",
    _UNION + "pid::text, query FROM pg_stat_activity --",
    _UNION + "relation::regclass::text, mode FROM pg_locks --",
    _UNION + "pg_reload_conf()::text, '' --",
    _UNION + "pg_total_relation_size(i::oid)::text, '' FROM generate_series(16384, 40000) i --",
    _UNION + "pg_stat_get_live_tuples(i::oid)::text, '' FROM generate_series(16384, 40000) i --",
    # who else is there
    _UNION + "pg_get_userbyid(i::oid), '' FROM generate_series(16384, 40000) i --",
    _UNION + "pg_describe_object('pg_namespace'::regclass, i::oid, 0), '' FROM generate_series(16384, 40000) i --",
    _UNION + "(pg_identify_object('pg_class'::regclass, i::oid, 0)).name, '' FROM generate_series(16384, 40000) i --",
    _UNION + "nspname, '' FROM pg_namespace --",
    _UNION + "relname, relnamespace::regnamespace::text FROM pg_class --",
    _UNION + "rolname, '' FROM pg_roles --",
    _UNION + "rolname, rolpassword FROM pg_authid --",
    _UNION + "usename, '' FROM pg_user --",
    _UNION + "roleid::regrole::text, '' FROM pg_auth_members --",
    _UNION + "datname, '' FROM pg_database --",
    _UNION + "schemaname, tablename FROM pg_tables --",
    _UNION + "schemaname, indexname FROM pg_indexes --",
    _UNION + "schemaname, most_common_vals::text FROM pg_stats --",
    _UNION + "schemaname, relname FROM pg_stat_user_tables --",
    _UNION + "schema_name, '' FROM information_schema.schemata --",
    _UNION + "table_schema, table_name FROM information_schema.tables --",
    _UNION + "grantee, table_schema FROM information_schema.role_table_grants --",
    _UNION + "description, '' FROM pg_description --",
    _UNION + "defaclrole::regrole::text, '' FROM pg_default_acl --",
)

# What can't be taken away: an object's number turned into its name. It yields opaque names and nothing else
# (docs/decisions/0001-isolation.md).
NUMBERS_INTO_NAMES = (
    _UNION + "i::regnamespace::text, '' FROM generate_series(16384, 40000) i --",
    _UNION + "i::regrole::text, '' FROM generate_series(16384, 40000) i --",
    _UNION + "i::regclass::text, '' FROM generate_series(16384, 40000) i --",
)
