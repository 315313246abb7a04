"""Everything that PostgreSQL's catalog says about one schema, with the tenant's own names taken out."""

from provisioning.servers import Connection
from tenants.context import Tenant

_QUESTIONS = {
    "relation": """SELECT c.relname, c.relkind, c.relpersistence, c.reloptions, c.relrowsecurity,
                        pg_get_userbyid(c.relowner), c.relacl::text
                     FROM pg_class c WHERE c.relnamespace = {n}""",
    "column": """SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                        a.attgenerated, a.attidentity, a.attcollation::regcollation, a.attstorage, a.attcompression,
                        a.attacl::text, pg_get_expr(d.adbin, d.adrelid)
                   FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                   LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                  WHERE c.relnamespace = {n} AND c.relkind = 'r' AND a.attnum > 0""",
    "constraint": """SELECT conrelid::regclass::text, conname, contype, convalidated, condeferrable,
                            pg_get_constraintdef(oid)
                       FROM pg_constraint WHERE connamespace = {n}""",
    "index": """SELECT pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisunique, i.indisprimary
                  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = {n}""",
    "comment": """SELECT c.relname, d.objsubid, d.description FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
                   WHERE d.classoid = 'pg_class'::regclass AND c.relnamespace = {n}""",
    "schema": "SELECT pg_get_userbyid(nspowner), nspacl::text, obj_description(oid) FROM pg_namespace WHERE oid = {n}",
    "default right": """SELECT pg_get_userbyid(defaclrole), defaclobjtype, defaclacl::text FROM pg_default_acl
                         WHERE defaclnamespace = {n}""",
    "function": "SELECT proname FROM pg_proc WHERE pronamespace = {n}",
    "type": """SELECT t.typname, t.typtype FROM pg_type t
                WHERE t.typnamespace = {n} AND t.typrelid = 0 AND t.typelem = 0""",
    "trigger": """SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                   WHERE c.relnamespace = {n} AND NOT t.tgisinternal""",
    "policy": """SELECT polrelid::regclass::text, polname, polcmd, pg_get_expr(polqual, polrelid),
                        pg_get_expr(polwithcheck, polrelid)
                   FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = {n}""",
    "version": "SELECT version, checksum FROM {s}.schema_version",
}


def facts_about(owner: Connection, tenant: Tenant) -> list[str]:
    """One line for each fact, sorted."""
    owner.execute("SET search_path = pg_catalog")
    found = []
    for kind, question in _QUESTIONS.items():
        asked = question.replace("{n}", f"'{tenant.schema}'::regnamespace").replace("{s}", tenant.schema)
        for row in owner.execute(asked.encode()).fetchall():
            line = f"{kind}: {' | '.join(map(str, row))}"
            found.append(line.replace(tenant.schema, "SCHEMA").replace(tenant.role, "ROLE"))
    return sorted(found)
