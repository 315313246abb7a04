-- The notices of the privacy statement, in a schema of the control database that belongs to nobody who serves requests.
-- Run once, as the notary. docs/decisions/0012-notary.md says why it is done so.

-- Every day ahead, and whether it is a business day in all configured countries. Only ever added to, and only closed.
CREATE TABLE calendar (
    day date PRIMARY KEY,
    is_business boolean NOT NULL,
    because text NOT NULL DEFAULT '',
    CONSTRAINT weekends_are_no_business_days CHECK (NOT is_business OR extract(isodow FROM day) < 6)
);

-- The versions that were announced, word for word.
CREATE TABLE statements (
    version integer PRIMARY KEY,
    body text NOT NULL,
    sha256 text NOT NULL,
    material boolean NOT NULL,
    announced_at timestamptz NOT NULL,
    announced_on date NOT NULL,
    announced_by text NOT NULL,
    notice_days integer NOT NULL,
    effective_on date NOT NULL,
    CONSTRAINT version_counts_from_one CHECK (version >= 1),
    CONSTRAINT hash_is_of_the_text CHECK (sha256 = encode(sha256(convert_to(body, 'UTF8')), 'hex')),
    CONSTRAINT announced_before_effective CHECK (version = 1 OR effective_on > announced_on),
    CONSTRAINT thirty_business_days CHECK (version = 1 OR material IS FALSE OR notice_days >= 30)
);

-- Announcements taken back before they took effect.
CREATE TABLE withdrawals (
    version integer PRIMARY KEY REFERENCES statements,
    withdrawn_at timestamptz NOT NULL,
    withdrawn_by text NOT NULL,
    reason text NOT NULL
);

-- What the probe saw when it asked for the public notice, as a visitor would.
CREATE TABLE watch (
    seen_at timestamptz NOT NULL DEFAULT clock(),
    version integer NOT NULL REFERENCES statements,
    stood boolean NOT NULL,
    page_sha256 text NOT NULL,
    remark text NOT NULL
);

CREATE INDEX watch_version_seen_at ON watch (version, seen_at);
