-- The time in which a customer whose contract ends can take everything out (promise P13). Run once, as the notary.
-- Only ever added to: what was promised can be read here whatever the program's own rows say.

-- Since when an account is read-only, by the clock of this database.
CREATE TABLE retrievals (
    closing uuid PRIMARY KEY,
    tenant uuid NOT NULL,
    begun_at timestamptz NOT NULL,
    days integer NOT NULL,
    CONSTRAINT thirty_to_ninety_days CHECK (days BETWEEN 30 AND 90)
);

CREATE INDEX retrievals_tenant ON retrievals (tenant);

-- What came after: more time, the warning that has to stand for a day, and that it was called off.
CREATE TABLE retrieval_events (
    closing uuid NOT NULL REFERENCES retrievals,
    at timestamptz NOT NULL,
    what text NOT NULL,
    kept_until timestamptz,
    CONSTRAINT one_of_three CHECK (what IN ('extended', 'warned', 'called off')),
    CONSTRAINT more_time_has_an_end CHECK ((what = 'extended') = (kept_until IS NOT NULL))
);

CREATE INDEX retrieval_events_closing ON retrieval_events (closing);
