-- Counting business days and deciding what is in force; run after the tables are there.

-- The day after the last of so many business days. NULL when the calendar does not reach so far: then nothing is allowed.
CREATE OR REPLACE FUNCTION earliest(announced_on date, business_days integer) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN business_days = 0 THEN announced_on + 1
                WHEN count(*) = business_days THEN max(day) + 1 END
      FROM (SELECT day FROM notices.calendar
             WHERE day > announced_on AND is_business
             ORDER BY day LIMIT business_days) counted
$$;

CREATE OR REPLACE FUNCTION earliest_now() RETURNS date
LANGUAGE sql STABLE AS $$ SELECT notices.earliest(notices.announcement_day(notices.clock()), 30) $$;

-- The business days after an announcement. One that is over stood if the notice was seen on it; one to come may yet.
CREATE OR REPLACE FUNCTION days_of_notice(which integer) RETURNS TABLE (day date, stood boolean)
LANGUAGE sql STABLE AS $$
    WITH today AS MATERIALIZED (SELECT (notices.clock() AT TIME ZONE 'UTC')::date AS day),
         seen AS MATERIALIZED (SELECT DISTINCT (w.seen_at AT TIME ZONE 'UTC')::date AS day
                                 FROM notices.watch w WHERE w.version = which AND w.stood)
    SELECT c.day, c.day >= today.day OR seen.day IS NOT NULL
      FROM notices.statements s
      CROSS JOIN today
      JOIN notices.calendar c ON c.day > s.announced_on AND c.is_business
      LEFT JOIN seen ON seen.day = c.day
     WHERE s.version = which
$$;

-- The announced day, or later: each day on which the notice did not stand is made up for by a further business day.
CREATE OR REPLACE FUNCTION takes_effect_on(which integer) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN s.version = 1 OR NOT s.material THEN s.effective_on
                ELSE (SELECT CASE WHEN count(*) = s.notice_days THEN greatest(s.effective_on, max(day) + 1) END
                        FROM (SELECT day FROM notices.days_of_notice(which) WHERE stood
                               ORDER BY day LIMIT s.notice_days) counted) END
      FROM notices.statements s WHERE s.version = which
$$;

CREATE OR REPLACE VIEW standing AS
    SELECT v.*,
           CASE WHEN v.version = 1 OR NOT v.material THEN 0
                ELSE (SELECT count(*) FROM notices.days_of_notice(v.version) 
                       WHERE NOT stood AND day < coalesce(v.takes_effect_on, 'infinity')) END
               AS missed,
           v.withdrawn_at IS NULL
               AND (v.version = 1 OR coalesce(notices.begins_at(v.takes_effect_on) <= notices.clock(), false))
               AS has_taken_effect
      FROM (SELECT s.version, s.body, s.sha256, s.material, s.announced_at, s.announced_on, s.announced_by,
                   s.notice_days, s.effective_on, notices.takes_effect_on(s.version) AS takes_effect_on,
                   w.withdrawn_at, w.reason
              FROM notices.statements s LEFT JOIN notices.withdrawals w USING (version)) v;

-- The only way to announce. It takes the moment from the database and refuses a day that is too early.
CREATE OR REPLACE FUNCTION announce(
    new_version integer, new_body text, is_material boolean, wanted date, by_whom text
) RETURNS date LANGUAGE plpgsql SECURITY DEFINER SET search_path = notices, pg_temp AS $$
DECLARE
    moment CONSTANT timestamptz := clock();
    today CONSTANT date := announcement_day(moment);
    newest record;
    soonest date := today;
BEGIN
    IF is_material IS NULL THEN
        RAISE EXCEPTION 'Say whether the change is material: true or false.' USING ERRCODE = 'QB001';
    END IF;
    LOCK TABLE statements IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO newest FROM standing ORDER BY version DESC LIMIT 1;
    IF new_version IS DISTINCT FROM coalesce(newest.version, 0) + 1 THEN
        RAISE EXCEPTION 'The next version is %, not %.', coalesce(newest.version, 0) + 1, new_version USING ERRCODE = 'QB001';
    END IF;
    IF newest.version IS NULL THEN
        -- Before the first there was nothing that it could change.
        wanted := (moment AT TIME ZONE 'UTC')::date;
    ELSE
        IF newest.withdrawn_at IS NULL AND NOT newest.has_taken_effect THEN
            RAISE EXCEPTION 'Version % is announced and not in force yet. Wait for it, or withdraw it first.', newest.version
                USING ERRCODE = 'QB001';
        END IF;
        IF is_material IS DISTINCT FROM true AND shown_text(new_body) IS DISTINCT FROM
           (SELECT shown_text(body) FROM standing WHERE has_taken_effect ORDER BY version DESC LIMIT 1) THEN
            RAISE EXCEPTION 'It changes what readers see, so it is material, whatever its file says.' USING ERRCODE = 'QB001';
        END IF;
        soonest := earliest(today, CASE WHEN is_material THEN 30 ELSE 0 END);
        IF soonest IS NULL THEN
            RAISE EXCEPTION 'The calendar of business days ends too soon. Run `qikbiz migrate`, which fills it.'
                USING ERRCODE = 'QB001';
        END IF;
        IF wanted IS NULL OR wanted < soonest THEN
            RAISE EXCEPTION 'Announced now, it can take effect on % at the earliest.', to_char(soonest, 'FMDD Mon YYYY')
                USING ERRCODE = 'QB002';
        END IF;
        IF wanted > today + 730 OR NOT EXISTS (SELECT FROM calendar WHERE day = wanted) THEN
            RAISE EXCEPTION 'That is too far ahead. Choose a day within two years.' USING ERRCODE = 'QB001';
        END IF;
    END IF;
    INSERT INTO statements (version, body, sha256, material, announced_at, announced_on, announced_by, notice_days, effective_on)
    VALUES (new_version, new_body, encode(sha256(convert_to(new_body, 'UTF8')), 'hex'), is_material, moment, today, by_whom,
            (SELECT count(*) FROM calendar WHERE is_business AND day > today AND day < wanted), wanted);
    RETURN wanted;
END $$;

DROP FUNCTION IF EXISTS words_of(text);

-- Taking an announcement back is always safe: what is in force stays in force.
CREATE OR REPLACE FUNCTION withdraw(which integer, by_whom text, why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = notices, pg_temp AS $$
BEGIN
    LOCK TABLE statements IN SHARE ROW EXCLUSIVE MODE;
    IF NOT EXISTS (SELECT FROM standing WHERE version = which AND withdrawn_at IS NULL AND NOT has_taken_effect) THEN
        RAISE EXCEPTION 'Only an announced version that has not taken effect can be withdrawn.' USING ERRCODE = 'QB001';
    END IF;
    INSERT INTO withdrawals VALUES (which, clock(), by_whom, why);
END $$;
