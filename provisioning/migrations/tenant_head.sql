-- Made by `make head-script` (provisioning/render.py) from the numbered migrations; never edit it.
-- 0001
CREATE TABLE schema_version (
        version TEXT NOT NULL,
        checksum TEXT NOT NULL,
        applied_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_schema_version PRIMARY KEY (version)
    );
CREATE TABLE access_counts (
        day DATE NOT NULL,
        kind TEXT NOT NULL,
        outcome TEXT NOT NULL,
        events BIGINT NOT NULL,
        CONSTRAINT pk_access_counts PRIMARY KEY (day, kind, outcome)
    );
CREATE TABLE access_events (
        id UUID NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        kind TEXT NOT NULL,
        outcome TEXT NOT NULL,
        person_kind TEXT NOT NULL,
        person_id UUID,
        person_name TEXT DEFAULT '' NOT NULL,
        account TEXT DEFAULT '' NOT NULL,
        address INET,
        prefix CIDR,
        device TEXT DEFAULT '' NOT NULL,
        detail TEXT DEFAULT '' NOT NULL,
        request_id TEXT DEFAULT '' NOT NULL,
        CONSTRAINT pk_access_events PRIMARY KEY (id),
        CONSTRAINT ck_access_events_outcome CHECK (outcome in ('done', 'failed', 'refused')),
        CONSTRAINT ck_access_events_person_kind CHECK (person_kind in ('user', 'staff', 'nobody'))
    );
CREATE INDEX ix_access_events_at ON access_events (at);
CREATE INDEX ix_access_events_person ON access_events (person_id, id) WHERE person_id is not null;
CREATE TABLE audit_events (
        id UUID NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        actor_kind TEXT NOT NULL,
        actor_id UUID,
        actor_name TEXT DEFAULT '' NOT NULL,
        action TEXT NOT NULL,
        record_type TEXT DEFAULT '' NOT NULL,
        record_id UUID,
        subject TEXT DEFAULT '' NOT NULL,
        details JSONB DEFAULT '{}' NOT NULL,
        request_id TEXT DEFAULT '' NOT NULL,
        chain UUID NOT NULL,
        seq BIGINT NOT NULL,
        previous_hash BYTEA NOT NULL,
        private_hash BYTEA NOT NULL,
        salt BYTEA,
        hash BYTEA NOT NULL,
        CONSTRAINT pk_audit_events PRIMARY KEY (id),
        CONSTRAINT ck_audit_events_actor_kind CHECK (actor_kind in ('user', 'staff', 'system', 'anonymous')),
        CONSTRAINT uq_audit_events_chain_seq UNIQUE (chain, seq)
    );
CREATE INDEX ix_audit_events_action ON audit_events (action, id);
CREATE INDEX ix_audit_events_actor ON audit_events (actor_id, id);
CREATE INDEX ix_audit_events_record ON audit_events (record_id, id) WHERE record_id is not null;
CREATE TABLE audit_keeping (
        id BIGINT DEFAULT '1' NOT NULL,
        months BIGINT,
        set_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_audit_keeping PRIMARY KEY (id),
        CONSTRAINT ck_audit_keeping_one_row CHECK (id = 1),
        CONSTRAINT ck_audit_keeping_months CHECK (months between 12 and 240)
    );
CREATE TABLE audit_turns (
        id BIGINT NOT NULL,
        CONSTRAINT pk_audit_turns PRIMARY KEY (id)
    );
CREATE TABLE companies (
        name TEXT NOT NULL,
        domain TEXT,
        website TEXT,
        email TEXT,
        phone TEXT,
        type TEXT,
        industry TEXT,
        number_of_employees BIGINT,
        annual_revenue NUMERIC(18, 2),
        annual_revenue_currency TEXT,
        billing_street TEXT,
        billing_street2 TEXT,
        billing_city TEXT,
        billing_state TEXT,
        billing_postal_code TEXT,
        billing_country TEXT,
        linkedin_url TEXT,
        x_url TEXT,
        lead_source TEXT,
        parent_id UUID,
        search TSVECTOR GENERATED ALWAYS AS (strip(to_tsvector('simple', translate(coalesce(sort_name, '') || ' ' || coalesce(domain, '') || ' ' || coalesce(email, '') || ' ' || coalesce(billing_city, ''), '@._-+/:<&', '         ') || ' ' || coalesce(substr(phone, 2), '') || ' ' || coalesce(case when left(phone, 2) in ('+1', '+7') then substr(phone, 3) when left(phone, 3) in ('+20', '+27', '+30', '+31', '+32', '+33', '+34', '+36', '+39', '+40', '+41', '+43', '+44', '+45', '+46', '+47', '+48', '+49', '+51', '+52', '+53', '+54', '+55', '+56', '+57', '+58', '+60', '+61', '+62', '+63', '+64', '+65', '+66', '+81', '+82', '+84', '+86', '+90', '+91', '+92', '+93', '+94', '+95', '+98') then substr(phone, 4) else substr(phone, 5) end, '')))) STORED,
        id UUID NOT NULL,
        version BIGINT DEFAULT '1' NOT NULL,
        external_id TEXT,
        owner_id UUID,
        sort_name TEXT DEFAULT '' NOT NULL,
        tags TEXT[] DEFAULT '{}' NOT NULL,
        description TEXT,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        created_by UUID,
        created_by_import UUID,
        updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        updated_by UUID,
        deleted_at TIMESTAMP WITH TIME ZONE,
        deleted_by UUID,
        CONSTRAINT pk_companies PRIMARY KEY (id),
        CONSTRAINT fk_companies_parent_id FOREIGN KEY(parent_id) REFERENCES companies (id) ON DELETE SET NULL
    );
CREATE INDEX ix_companies_domain ON companies (domain) WHERE domain is not null;
CREATE INDEX ix_companies_external_id ON companies (external_id) WHERE external_id is not null;
CREATE INDEX ix_companies_import ON companies (created_by_import) WHERE created_by_import is not null;
CREATE INDEX ix_companies_owner ON companies (owner_id, sort_name, id) WHERE owner_id is not null and deleted_at is null;
CREATE INDEX ix_companies_parent ON companies (parent_id) WHERE parent_id is not null;
CREATE INDEX ix_companies_search ON companies USING gin (search);
CREATE INDEX ix_companies_sort_name ON companies (sort_name, id) WHERE deleted_at is null;
CREATE INDEX ix_companies_tags ON companies USING gin (tags) WHERE tags <> '{}';
CREATE INDEX ix_companies_trash ON companies (deleted_at, id) WHERE deleted_at is not null;
CREATE INDEX ix_companies_updated_at ON companies (updated_at, id) WHERE deleted_at is null;
CREATE TABLE contact_companies (
        contact_id UUID NOT NULL,
        company_id UUID NOT NULL,
        role TEXT,
        is_primary BOOLEAN DEFAULT false NOT NULL,
        ended_on DATE,
        CONSTRAINT pk_contact_companies PRIMARY KEY (contact_id, company_id)
    );
CREATE INDEX ix_contact_companies_company_id ON contact_companies (company_id);
CREATE UNIQUE INDEX uq_contact_companies_primary ON contact_companies (contact_id) WHERE is_primary;
CREATE TABLE contacts (
        salutation TEXT,
        first_name TEXT,
        middle_name TEXT,
        last_name TEXT,
        job_title TEXT,
        department TEXT,
        email TEXT,
        other_emails TEXT[] DEFAULT '{}' NOT NULL,
        emails JSONB DEFAULT '[]' NOT NULL,
        phone TEXT,
        phones JSONB DEFAULT '[]' NOT NULL,
        company_id UUID,
        company_name TEXT,
        reports_to_id UUID,
        lead_source TEXT,
        lifecycle_stage TEXT,
        street TEXT,
        street2 TEXT,
        city TEXT,
        state TEXT,
        postal_code TEXT,
        country TEXT,
        website TEXT,
        linkedin_url TEXT,
        x_url TEXT,
        birthdate DATE,
        do_not_call BOOLEAN DEFAULT false NOT NULL,
        email_opt_out BOOLEAN DEFAULT false NOT NULL,
        lawful_basis TEXT,
        lawful_basis_source TEXT,
        consent_reviewed_on DATE,
        search TSVECTOR GENERATED ALWAYS AS (strip(to_tsvector('simple', translate(coalesce(sort_name, '') || ' ' || coalesce(middle_name, '') || ' ' || coalesce(email, '') || ' ' || coalesce(company_name, ''), '@._-+/:<&', '         ') || ' ' || coalesce(substr(phone, 2), '') || ' ' || coalesce(case when left(phone, 2) in ('+1', '+7') then substr(phone, 3) when left(phone, 3) in ('+20', '+27', '+30', '+31', '+32', '+33', '+34', '+36', '+39', '+40', '+41', '+43', '+44', '+45', '+46', '+47', '+48', '+49', '+51', '+52', '+53', '+54', '+55', '+56', '+57', '+58', '+60', '+61', '+62', '+63', '+64', '+65', '+66', '+81', '+82', '+84', '+86', '+90', '+91', '+92', '+93', '+94', '+95', '+98') then substr(phone, 4) else substr(phone, 5) end, '')))) STORED,
        id UUID NOT NULL,
        version BIGINT DEFAULT '1' NOT NULL,
        external_id TEXT,
        owner_id UUID,
        sort_name TEXT DEFAULT '' NOT NULL,
        tags TEXT[] DEFAULT '{}' NOT NULL,
        description TEXT,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        created_by UUID,
        created_by_import UUID,
        updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        updated_by UUID,
        deleted_at TIMESTAMP WITH TIME ZONE,
        deleted_by UUID,
        CONSTRAINT pk_contacts PRIMARY KEY (id),
        CONSTRAINT fk_contacts_reports_to_id FOREIGN KEY(reports_to_id) REFERENCES contacts (id) ON DELETE SET NULL
    );
CREATE INDEX ix_contacts_company ON contacts (company_id, sort_name, id) WHERE company_id is not null;
CREATE INDEX ix_contacts_email ON contacts (email, id) WHERE deleted_at is null;
CREATE INDEX ix_contacts_external_id ON contacts (external_id) WHERE external_id is not null;
CREATE INDEX ix_contacts_import ON contacts (created_by_import) WHERE created_by_import is not null;
CREATE INDEX ix_contacts_other_emails ON contacts USING gin (other_emails) WHERE other_emails <> '{}';
CREATE INDEX ix_contacts_owner ON contacts (owner_id, sort_name, id) WHERE owner_id is not null and deleted_at is null;
CREATE INDEX ix_contacts_reports_to ON contacts (reports_to_id) WHERE reports_to_id is not null;
CREATE INDEX ix_contacts_search ON contacts USING gin (search);
CREATE INDEX ix_contacts_sort_name ON contacts (sort_name, id) WHERE deleted_at is null;
CREATE INDEX ix_contacts_tags ON contacts USING gin (tags) WHERE tags <> '{}';
CREATE INDEX ix_contacts_trash ON contacts (deleted_at, id) WHERE deleted_at is not null;
CREATE INDEX ix_contacts_updated_at ON contacts (updated_at, id) WHERE deleted_at is null;
CREATE TABLE erasures (
        id UUID NOT NULL,
        record_id UUID NOT NULL,
        state TEXT DEFAULT 'asked' NOT NULL,
        reference TEXT DEFAULT '' NOT NULL,
        asked_by UUID,
        asked_by_name TEXT DEFAULT '' NOT NULL,
        asked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        done_at TIMESTAMP WITH TIME ZONE,
        problem TEXT DEFAULT '' NOT NULL,
        job_id UUID,
        document JSONB DEFAULT '{}' NOT NULL,
        key_id BIGINT,
        signature BYTEA,
        CONSTRAINT pk_erasures PRIMARY KEY (id),
        CONSTRAINT ck_erasures_state CHECK (state in ('asked', 'done', 'failed'))
    );
CREATE INDEX ix_erasures_record_id ON erasures (record_id);
CREATE TABLE exports (
        id UUID NOT NULL,
        state TEXT DEFAULT 'waiting' NOT NULL,
        scope TEXT NOT NULL,
        filters JSONB DEFAULT '{}' NOT NULL,
        columns TEXT[],
        product TEXT DEFAULT 'portable' NOT NULL,
        instruction TEXT,
        grant_id UUID,
        actor_kind TEXT DEFAULT 'user' NOT NULL,
        requested_by UUID,
        requested_by_name TEXT DEFAULT '' NOT NULL,
        requested_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        snapshot_at TIMESTAMP WITH TIME ZONE,
        ready_at TIMESTAMP WITH TIME ZONE,
        expires_at TIMESTAMP WITH TIME ZONE,
        job_id UUID,
        file_path TEXT,
        file_key BYTEA,
        file_bytes BIGINT,
        work_seconds BIGINT,
        file_sha256 TEXT,
        manifest JSONB DEFAULT '{}' NOT NULL,
        downloads BIGINT DEFAULT '0' NOT NULL,
        error_ref TEXT DEFAULT '' NOT NULL,
        CONSTRAINT pk_exports PRIMARY KEY (id),
        CONSTRAINT ck_exports_state CHECK (state in ('waiting', 'running', 'ready', 'failed', 'expired', 'deleted')),
        CONSTRAINT ck_exports_product CHECK (product in ('portable', 'spreadsheet', 'audit', 'person'))
    );
CREATE UNLOGGED TABLE import_rows (
        import_id UUID NOT NULL,
        row BIGINT NOT NULL,
        outcome TEXT NOT NULL,
        key TEXT,
        record_id UUID,
        version BIGINT,
        values TEXT[],
        problems JSONB,
        skipped JSONB,
        CONSTRAINT pk_import_rows PRIMARY KEY (import_id, row)
    );
CREATE INDEX ix_import_rows_invalid ON import_rows (import_id, row) WHERE outcome = 'invalid';
CREATE INDEX ix_import_rows_skipped ON import_rows (import_id, row) WHERE skipped is not null;
CREATE UNLOGGED TABLE import_updates (
        import_id UUID NOT NULL,
        row BIGINT NOT NULL,
        record_id UUID NOT NULL,
        version BIGINT NOT NULL,
        change_id UUID NOT NULL,
        subject TEXT DEFAULT '' NOT NULL,
        changes JSONB NOT NULL,
        values TEXT[] NOT NULL,
        CONSTRAINT pk_import_updates PRIMARY KEY (import_id, row)
    );
CREATE TABLE imports (
        id UUID NOT NULL,
        record_type TEXT NOT NULL,
        state TEXT DEFAULT 'uploaded' NOT NULL,
        file_name TEXT NOT NULL,
        file_path TEXT NOT NULL,
        file_key BYTEA,
        file_bytes BIGINT NOT NULL,
        file_sha256 TEXT NOT NULL,
        fingerprint TEXT,
        encoding TEXT DEFAULT '' NOT NULL,
        delimiter TEXT DEFAULT '' NOT NULL,
        header TEXT[] DEFAULT '{}' NOT NULL,
        mapping JSONB DEFAULT '{}' NOT NULL,
        options JSONB DEFAULT '{}' NOT NULL,
        key_field TEXT DEFAULT 'email' NOT NULL,
        mode TEXT DEFAULT 'upsert' NOT NULL,
        rows BIGINT DEFAULT '0' NOT NULL,
        counts JSONB DEFAULT '{}' NOT NULL,
        problem TEXT DEFAULT '' NOT NULL,
        job_id UUID,
        instruction TEXT,
        grant_id UUID,
        actor_kind TEXT DEFAULT 'user' NOT NULL,
        created_by UUID,
        created_by_name TEXT DEFAULT '' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        applied_at TIMESTAMP WITH TIME ZONE,
        undone_at TIMESTAMP WITH TIME ZONE,
        undo_counts JSONB DEFAULT '{}' NOT NULL,
        CONSTRAINT pk_imports PRIMARY KEY (id),
        CONSTRAINT ck_imports_state CHECK (state in ('uploaded', 'mapped', 'checking', 'checked', 'applying', 'applied', 'undoing', 'undone', 'failed', 'cancelled')),
        CONSTRAINT ck_imports_adds_up CHECK (counts = '{}' or rows = (counts ->> 'created')::bigint + (counts ->> 'updated')::bigint + (counts ->> 'unchanged')::bigint + (counts ->> 'invalid')::bigint)
    );
CREATE INDEX ix_imports_fingerprint ON imports (fingerprint);
CREATE TABLE jobs (
        id UUID NOT NULL,
        kind TEXT NOT NULL,
        queue TEXT NOT NULL,
        arguments JSONB DEFAULT '{}' NOT NULL,
        state TEXT DEFAULT 'pending' NOT NULL,
        attempt BIGINT DEFAULT '0' NOT NULL,
        max_attempts BIGINT DEFAULT '3' NOT NULL,
        token UUID,
        lease_until TIMESTAMP WITH TIME ZONE,
        run_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        dedupe_key TEXT,
        created_by UUID,
        grant_id UUID,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE,
        finished_at TIMESTAMP WITH TIME ZONE,
        progress_done BIGINT DEFAULT '0' NOT NULL,
        progress_total BIGINT,
        progress_note TEXT DEFAULT '' NOT NULL,
        result JSONB DEFAULT '{}' NOT NULL,
        error_ref TEXT DEFAULT '' NOT NULL,
        error_text TEXT DEFAULT '' NOT NULL,
        CONSTRAINT pk_jobs PRIMARY KEY (id),
        CONSTRAINT ck_jobs_state CHECK (state in ('pending', 'running', 'done', 'failed', 'quarantined', 'cancelled'))
    );
CREATE INDEX ix_jobs_due ON jobs (run_at) WHERE state in ('pending', 'running');
CREATE UNIQUE INDEX uq_jobs_dedupe_key ON jobs (dedupe_key) WHERE dedupe_key is not null;
CREATE TABLE logos (
        id BIGINT NOT NULL,
        name TEXT NOT NULL,
        picture BYTEA NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_logos PRIMARY KEY (id),
        CONSTRAINT ck_logos_one CHECK (id = 1),
        CONSTRAINT ck_logos_name CHECK (name ~ '^[0-9a-f]{32}-[0-9]{1,3}x[0-9]{1,3}$'),
        CONSTRAINT ck_logos_picture CHECK (octet_length(picture) <= 49152)
    );
CREATE TABLE mails (
        announcement_id UUID,
        id UUID NOT NULL,
        dedupe_key TEXT NOT NULL,
        category TEXT NOT NULL,
        person_id UUID,
        template TEXT NOT NULL,
        to_address TEXT NOT NULL,
        to_name TEXT DEFAULT '' NOT NULL,
        values JSONB DEFAULT '{}' NOT NULL,
        subject TEXT DEFAULT '' NOT NULL,
        state TEXT DEFAULT 'pending' NOT NULL,
        attempt BIGINT DEFAULT '0' NOT NULL,
        next_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        reason TEXT DEFAULT '' NOT NULL,
        problem TEXT DEFAULT '' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        data_began_at TIMESTAMP WITH TIME ZONE,
        sent_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_mails PRIMARY KEY (id),
        CONSTRAINT ck_mails_state CHECK (state in ('pending', 'sending', 'sent', 'unknown', 'failed', 'dropped')),
        CONSTRAINT ck_mails_reason CHECK (reason in ('', 'opted_out', 'no_login', 'stopped')),
        CONSTRAINT uq_mails_dedupe_key UNIQUE (dedupe_key)
    );
CREATE INDEX ix_mails_announcement ON mails (announcement_id, state) WHERE announcement_id is not null;
CREATE INDEX ix_mails_due ON mails (next_at) WHERE state in ('pending', 'sending');
CREATE TABLE page_reads (
        id UUID NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        actor_kind TEXT NOT NULL,
        actor_id UUID,
        actor_name TEXT DEFAULT '' NOT NULL,
        view TEXT NOT NULL,
        record_type TEXT DEFAULT '' NOT NULL,
        filters TEXT[] DEFAULT '{}' NOT NULL,
        part TEXT DEFAULT 'first' NOT NULL,
        shown BIGINT NOT NULL,
        request_id TEXT DEFAULT '' NOT NULL,
        CONSTRAINT pk_page_reads PRIMARY KEY (id)
    );
CREATE INDEX ix_page_reads_actor ON page_reads (actor_id, id);
CREATE TABLE record_changes (
        id UUID NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        record_type TEXT NOT NULL,
        record_id UUID NOT NULL,
        version BIGINT NOT NULL,
        kind TEXT NOT NULL,
        source TEXT NOT NULL,
        actor_kind TEXT NOT NULL,
        actor_id UUID,
        actor_name TEXT DEFAULT '' NOT NULL,
        import_id UUID,
        changes JSONB DEFAULT '{}' NOT NULL,
        CONSTRAINT pk_record_changes PRIMARY KEY (id),
        CONSTRAINT ck_record_changes_source CHECK (source in ('form', 'import', 'undo', 'command'))
    );
CREATE INDEX ix_record_changes_import ON record_changes (import_id) WHERE import_id is not null;
CREATE INDEX ix_record_changes_record ON record_changes (record_id, id);
CREATE TABLE roles (
        id UUID NOT NULL,
        name TEXT NOT NULL,
        folded_name TEXT NOT NULL,
        rights JSONB NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_roles PRIMARY KEY (id)
    );
CREATE UNIQUE INDEX uq_roles_folded_name ON roles (folded_name);
CREATE TABLE sign_in_policy (
        id BIGINT NOT NULL,
        least_characters BIGINT DEFAULT '15' NOT NULL,
        asks_range_service BOOLEAN DEFAULT false NOT NULL,
        factor_for TEXT DEFAULT 'nobody' NOT NULL,
        factor_roles TEXT[] DEFAULT '{}' NOT NULL,
        idle_minutes BIGINT DEFAULT '60' NOT NULL,
        absolute_hours BIGINT DEFAULT '12' NOT NULL,
        remember_days BIGINT DEFAULT '30' NOT NULL,
        networks TEXT[] DEFAULT '{}' NOT NULL,
        sso_only BOOLEAN DEFAULT false NOT NULL,
        stricter_at TIMESTAMP WITH TIME ZONE,
        break_glass BYTEA,
        break_glass_made_at TIMESTAMP WITH TIME ZONE,
        break_glass_made_by UUID,
        changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_sign_in_policy PRIMARY KEY (id),
        CONSTRAINT ck_sign_in_policy_one CHECK (id = 1),
        CONSTRAINT ck_sign_in_policy_least_characters CHECK (least_characters between 15 and 64),
        CONSTRAINT ck_sign_in_policy_factor_for CHECK (factor_for in ('nobody', 'roles', 'everyone')),
        CONSTRAINT ck_sign_in_policy_factor_roles CHECK (factor_for <> 'roles' or cardinality(factor_roles) > 0),
        CONSTRAINT ck_sign_in_policy_idle_minutes CHECK (idle_minutes between 5 and 60),
        CONSTRAINT ck_sign_in_policy_absolute_hours CHECK (absolute_hours between 1 and 12),
        CONSTRAINT ck_sign_in_policy_remember_days CHECK (remember_days between 0 and 30),
        CONSTRAINT ck_sign_in_policy_networks CHECK (cardinality(networks) <= 50)
    );
CREATE TABLE sso_provider (
        id BIGINT NOT NULL,
        issuer TEXT NOT NULL,
        client_id TEXT NOT NULL,
        sealed_secret TEXT NOT NULL,
        label TEXT NOT NULL,
        is_on BOOLEAN DEFAULT false NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_sso_provider PRIMARY KEY (id),
        CONSTRAINT ck_sso_provider_one CHECK (id = 1),
        CONSTRAINT ck_sso_provider_issuer CHECK (length(issuer) between 8 and 500)
    );
CREATE TABLE teams (
        id UUID NOT NULL,
        name TEXT NOT NULL,
        folded_name TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_teams PRIMARY KEY (id)
    );
CREATE UNIQUE INDEX uq_teams_folded_name ON teams (folded_name);
CREATE TABLE tombstones (
        id UUID NOT NULL,
        record_id UUID NOT NULL,
        erased_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        key TEXT NOT NULL,
        marks TEXT[] DEFAULT '{}' NOT NULL,
        CONSTRAINT pk_tombstones PRIMARY KEY (id)
    );
CREATE UNIQUE INDEX uq_tombstones_record_id ON tombstones (record_id);
CREATE TABLE user_factors (
        id UUID NOT NULL,
        person_id UUID NOT NULL,
        kind TEXT NOT NULL,
        name TEXT DEFAULT '' NOT NULL,
        handle BYTEA,
        public_key BYTEA,
        sealed_secret TEXT,
        counter BIGINT DEFAULT '0' NOT NULL,
        host TEXT DEFAULT '' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        last_used_at TIMESTAMP WITH TIME ZONE,
        used_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_user_factors PRIMARY KEY (id),
        CONSTRAINT ck_user_factors_kind CHECK ((kind = 'passkey' and handle is not null and public_key is not null and host <> '') or (kind = 'app' and sealed_secret is not null) or (kind = 'recovery' and handle is not null)),
        CONSTRAINT uq_user_factors_handle UNIQUE (handle)
    );
CREATE INDEX ix_user_factors_person_id ON user_factors (person_id);
CREATE UNIQUE INDEX uq_user_factors_app ON user_factors (person_id) WHERE kind = 'app';
CREATE TABLE user_sessions (
        viewing TEXT DEFAULT '' NOT NULL,
        viewing_until TIMESTAMP WITH TIME ZONE,
        id_hash BYTEA NOT NULL,
        person_id UUID NOT NULL,
        person_epoch BIGINT NOT NULL,
        tenant_epoch BIGINT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        last_seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        idle_until TIMESTAMP WITH TIME ZONE NOT NULL,
        ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        fresh_until TIMESTAMP WITH TIME ZONE,
        method TEXT NOT NULL,
        device TEXT DEFAULT '' NOT NULL,
        address_prefix TEXT DEFAULT '' NOT NULL,
        series_hash BYTEA,
        from_anywhere BOOLEAN DEFAULT false NOT NULL,
        revoked_at TIMESTAMP WITH TIME ZONE,
        revoked_reason TEXT DEFAULT '' NOT NULL,
        CONSTRAINT pk_user_sessions PRIMARY KEY (id_hash)
    );
CREATE INDEX ix_user_sessions_person_id ON user_sessions (person_id);
CREATE TABLE user_tokens (
        token_hash BYTEA NOT NULL,
        person_id UUID NOT NULL,
        purpose TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        used_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_user_tokens PRIMARY KEY (token_hash)
    );
CREATE INDEX ix_user_tokens_person_id ON user_tokens (person_id);
CREATE TABLE users (
        roles TEXT[] NOT NULL,
        id UUID NOT NULL,
        email TEXT NOT NULL,
        email_key TEXT NOT NULL,
        name TEXT NOT NULL,
        state TEXT DEFAULT 'invited' NOT NULL,
        password_hash TEXT,
        password_changed_at TIMESTAMP WITH TIME ZONE,
        password_judged_at TIMESTAMP WITH TIME ZONE,
        epoch BIGINT DEFAULT '1' NOT NULL,
        time_zone TEXT DEFAULT '' NOT NULL,
        preferences JSONB DEFAULT '{}' NOT NULL,
        last_seen_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT ck_users_state CHECK (state in ('invited', 'active', 'disabled')),
        CONSTRAINT ck_users_roles CHECK (cardinality(roles) > 0),
        CONSTRAINT uq_users_email_key UNIQUE (email_key)
    );
CREATE TABLE mail_choices (
        user_id UUID NOT NULL,
        category TEXT NOT NULL,
        choice TEXT NOT NULL,
        how TEXT NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_mail_choices PRIMARY KEY (user_id, category),
        CONSTRAINT ck_mail_choices_choice CHECK (choice in ('on', 'daily', 'app', 'off')),
        CONSTRAINT ck_mail_choices_how CHECK (how in ('page', 'mail')),
        CONSTRAINT fk_mail_choices_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    );
CREATE TABLE notifications (
        id UUID NOT NULL,
        user_id UUID NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        url TEXT NOT NULL,
        mail TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        mailed_at TIMESTAMP WITH TIME ZONE,
        read_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_notifications PRIMARY KEY (id),
        CONSTRAINT ck_notifications_mail CHECK (mail in ('at_once', 'daily', 'none')),
        CONSTRAINT fk_notifications_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    );
CREATE INDEX ix_notifications_at ON notifications (at);
CREATE INDEX ix_notifications_unread ON notifications (user_id) WHERE read_at is null;
CREATE INDEX ix_notifications_user ON notifications (user_id, id);
CREATE TABLE remember_series (
        series_hash BYTEA NOT NULL,
        user_id UUID NOT NULL,
        token_hash BYTEA NOT NULL,
        previous_hash BYTEA,
        is_seen BOOLEAN DEFAULT true NOT NULL,
        rotated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        device TEXT DEFAULT '' NOT NULL,
        address_prefix TEXT DEFAULT '' NOT NULL,
        agent_mac BYTEA,
        revoked_at TIMESTAMP WITH TIME ZONE,
        revoked_reason TEXT DEFAULT '' NOT NULL,
        CONSTRAINT pk_remember_series PRIMARY KEY (series_hash),
        CONSTRAINT fk_remember_series_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    );
CREATE INDEX ix_remember_series_user_id ON remember_series (user_id);
CREATE TABLE sso_identities (
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        user_id UUID NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        last_used_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_sso_identities PRIMARY KEY (issuer, subject),
        CONSTRAINT uq_sso_identities_user_id_issuer UNIQUE (user_id, issuer),
        CONSTRAINT fk_sso_identities_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    );
CREATE TABLE team_members (
        team_id UUID NOT NULL,
        user_id UUID NOT NULL,
        CONSTRAINT pk_team_members PRIMARY KEY (team_id, user_id),
        CONSTRAINT fk_team_members_team_id FOREIGN KEY(team_id) REFERENCES teams (id) ON DELETE CASCADE,
        CONSTRAINT fk_team_members_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    );
CREATE INDEX ix_team_members_user_id ON team_members (user_id);
REVOKE INSERT, UPDATE, DELETE ON schema_version FROM @tenant_role@;
REVOKE UPDATE, DELETE ON audit_events FROM @tenant_role@;
REVOKE UPDATE, DELETE ON page_reads FROM @tenant_role@;
REVOKE UPDATE ON access_events FROM @tenant_role@;
GRANT UPDATE (address) ON access_events TO @tenant_role@;
ALTER TABLE access_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_all ON access_events FOR SELECT USING (true);
CREATE POLICY add_any ON access_events FOR INSERT WITH CHECK (true);
CREATE POLICY forget_address ON access_events FOR UPDATE USING (at < now() - interval '30 days') WITH CHECK (address IS NULL);
CREATE POLICY forget_row ON access_events FOR DELETE USING (at < now() - interval '365 days');
GRANT SELECT (id, kind, state, attempt, max_attempts, created_at, run_at, finished_at, error_ref) ON jobs TO qb_watch;
GRANT SELECT (id, template, category, state, attempt, problem, created_at, next_at, sent_at) ON mails TO qb_watch;
-- 0002
COMMENT ON TABLE access_counts IS 'technical: how many events of the access log a day had; names nobody.';
COMMENT ON TABLE access_events IS 'personal: who came to the door, when and from which address; addresses go after 30 days.';
COMMENT ON TABLE audit_events IS 'record of acts: who did what; rows are only ever added, each chained to the one before.';
COMMENT ON TABLE audit_keeping IS 'technical: how long the audit is kept.';
COMMENT ON TABLE audit_turns IS 'technical: never a row; whoever adds to the audit holds a lock on it.';
COMMENT ON TABLE companies IS 'personal: organisations that the customer works with; sole traders are people.';
COMMENT ON TABLE contact_companies IS 'personal: who works where, and as what.';
COMMENT ON TABLE contacts IS 'personal: people that the customer works with.';
COMMENT ON TABLE erasures IS 'record of acts: who had a person erased and the receipt; names nobody.';
COMMENT ON TABLE exports IS 'technical: exports that were asked for; the files lie elsewhere, sealed.';
COMMENT ON TABLE import_rows IS 'personal: staged rows of an import; those refused or with skipped cells stay for 30 days.';
COMMENT ON TABLE import_updates IS 'personal: what an import would change; goes after 30 days.';
COMMENT ON TABLE imports IS 'technical: files that were imported and what became of their rows.';
COMMENT ON TABLE jobs IS 'technical: the ledger of work; arguments are ids, or sealed while they are needed.';
COMMENT ON TABLE logos IS 'technical: the customer''s logo, drawn anew without the metadata of the file.';
COMMENT ON TABLE mail_choices IS 'personal: which mails somebody wants.';
COMMENT ON TABLE mails IS 'personal: mails to the customer''s own users.';
COMMENT ON TABLE notifications IS 'personal: what somebody was told, for ninety days.';
COMMENT ON TABLE page_reads IS 'record of acts: who had which list on the screen, without a value; sealed into the audit.';
COMMENT ON TABLE record_changes IS 'personal: what a field was before and after a change.';
COMMENT ON TABLE remember_series IS 'technical: remembered devices; only hashes of their tokens.';
COMMENT ON TABLE roles IS 'technical: roles that the customer made, and what each may do.';
COMMENT ON TABLE schema_version IS 'technical: the versions of this schema.';
COMMENT ON TABLE sign_in_policy IS 'technical: what the customer asks of its people''s logins.';
COMMENT ON TABLE sso_identities IS 'personal: whose login at the customer''s identity provider is whose here.';
COMMENT ON TABLE sso_provider IS 'technical: the customer''s identity provider; the client''s secret is sealed.';
COMMENT ON TABLE team_members IS 'personal: who is in which team.';
COMMENT ON TABLE teams IS 'technical: the customer''s teams.';
COMMENT ON TABLE tombstones IS 'technical: who was erased, as marks that name nobody.';
COMMENT ON TABLE user_factors IS 'technical: passkeys, sealed secrets of authenticator apps, hashes of recovery codes.';
COMMENT ON TABLE user_sessions IS 'technical: logins in force; only hashes of their ids.';
COMMENT ON TABLE user_tokens IS 'technical: single-use links; only hashes of their secrets.';
COMMENT ON TABLE users IS 'personal: the customer''s own people who log in.';
INSERT INTO schema_version (version, checksum) VALUES ('0001', 'eadc43d456ddbb3ca3d67937ccf64cc59caf3b6077e05c239b5360dedb744fa3'), ('0002', 'aa309aaea1f738e3ec5ba234ba6745a548ef5223d1fdfdcf9d37fba9747dbe74');
