"""What a record type is: fields, kinds of fields, references, and the registry of all types.

A record type is a value (`record_type.RecordTypeOf`) made of fields; a field is an instance of its kind, and each kind
is a class in one file of `kinds/`. Pages, filters, imports, exports and search ask the field and never its kind.
Knows no type by name, no request and no page; may import `kernel`, `audit` and `web.formats`.
"""
