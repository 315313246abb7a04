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

-- What a reader of the page sees: every character of every paragraph, heading and number, with its marks. Only how the
-- file breaks its lines is left out, since a page breaks them anew.
CREATE OR REPLACE FUNCTION shown_text(body text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(block, E'\n\n' ORDER BY place)
      FROM (SELECT place, btrim(regexp_replace(part, E'[ \t\n]+', ' ', 'g'), ' ') AS block
              FROM regexp_split_to_table(body, E'\n{2,}') WITH ORDINALITY AS parts (part, place)) blocks
     WHERE block <> ''
$$;
