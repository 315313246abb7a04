-- Run at every start, as the notary; a newer program replaces what an older one left.

-- The moment that counts: the database's, never one that the program says.
CREATE OR REPLACE FUNCTION clock() RETURNS timestamptz
LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';

-- The day of an announcement is taken where it is latest (UTC+14), so that nowhere a day is counted too many.
CREATE OR REPLACE FUNCTION announcement_day(moment timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE AS $$ SELECT (moment AT TIME ZONE 'UTC' + interval '14 hours')::date $$;

-- A day begins where it begins last: 00:00 in UTC-12 is 12:00 UTC.
CREATE OR REPLACE FUNCTION begins_at(day date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$ SELECT (day + time '12:00') AT TIME ZONE 'UTC' $$;

-- What two texts have in common when nothing but punctuation, headings and line breaks differs.
CREATE OR REPLACE FUNCTION words_of(body text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT lower(string_agg(regexp_replace(part, '[^[:alnum:]]+', ' ', 'g'), ' ' ORDER BY place))
      FROM regexp_split_to_table(body, E'\n{2,}') WITH ORDINALITY AS parts (part, place)
     WHERE part !~ '^\s*#'
$$;
