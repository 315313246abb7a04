-- How long a closing account is kept, and whether it may be erased; run at every start, after the tables are there.

CREATE OR REPLACE FUNCTION kept_until(which uuid) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT greatest(r.begun_at + make_interval(hours => r.days * 24),
                    (SELECT max(e.kept_until) FROM notices.retrieval_events e WHERE e.closing = which))
      FROM notices.retrievals r WHERE r.closing = which
$$;

CREATE OR REPLACE FUNCTION is_called_off(which uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM notices.retrieval_events WHERE closing = which AND what = 'called off')
$$;

-- Whether the time of a tenant is over: it was promised, it has passed, and the last warning has stood for a day.
CREATE OR REPLACE FUNCTION may_erase(which_tenant uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM notices.retrievals r
         WHERE r.tenant = which_tenant AND NOT notices.is_called_off(r.closing)
           AND notices.kept_until(r.closing) <= notices.clock()
           AND EXISTS (SELECT FROM notices.retrieval_events e
                        WHERE e.closing = r.closing AND e.what = 'warned' AND e.at <= notices.clock() - interval '24 hours'))
$$;

-- The only way to begin. It takes the moment from the database and keeps for thirty days at least.
CREATE OR REPLACE FUNCTION begin_retrieval(which uuid, of_tenant uuid, for_days integer) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = notices, pg_temp AS $$
BEGIN
    LOCK TABLE retrievals IN SHARE ROW EXCLUSIVE MODE;
    IF for_days IS NULL OR for_days NOT BETWEEN 30 AND 90 THEN
        RAISE EXCEPTION 'Choose between 30 and 90 days.' USING ERRCODE = 'QB001';
    END IF;
    IF EXISTS (SELECT FROM retrievals r WHERE r.tenant = of_tenant AND NOT is_called_off(r.closing)) THEN
        RAISE EXCEPTION 'The time of this account is running already.' USING ERRCODE = 'QB001';
    END IF;
    INSERT INTO retrievals VALUES (which, of_tenant, clock(), for_days);
    RETURN kept_until(which);
END $$;

-- Only ever later.
CREATE OR REPLACE FUNCTION extend_retrieval(which uuid, until timestamptz) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = notices, pg_temp AS $$
BEGIN
    LOCK TABLE retrievals IN SHARE ROW EXCLUSIVE MODE;
    IF until IS NULL OR until <= kept_until(which) THEN
        RAISE EXCEPTION 'The time that was promised is never shortened.' USING ERRCODE = 'QB001';
    END IF;
    INSERT INTO retrieval_events VALUES (which, clock(), 'extended', until);
    RETURN kept_until(which);
END $$;

CREATE OR REPLACE FUNCTION warn_of_erasure(which uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = notices, pg_temp AS $$
    INSERT INTO retrieval_events SELECT closing, clock(), 'warned' FROM retrievals WHERE closing = which
$$;

-- Always safe: the customer stays. Without effect where no time is running.
CREATE OR REPLACE FUNCTION cancel_retrieval(which uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = notices, pg_temp AS $$
    INSERT INTO retrieval_events SELECT closing, clock(), 'called off' FROM retrievals WHERE closing = which
$$;
