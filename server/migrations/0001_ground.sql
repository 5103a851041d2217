-- The initial schema: sites, and all data of a site.
--
-- Every key and every foreign key includes the site, so a row can't reference another tenant. Row-level security is the
-- second barrier: a connection sees only the site that it was opened for (`crewbell.site_id`). The role that owns the
-- tables only runs migrations; the server works as `crewbell_server`, which can read and write rows but can't alter the
-- schema.
--
-- No query plan may use the site column alone. While a table has no statistics (a new site, a restored database, a
-- burst of inserts) the planner estimates the site column to be as selective as a key and keeps that plan, and each
-- press then costs as much as the site has rows. Therefore:
-- - A key starts with the column that is looked up, and the site follows.
-- - An index that isn't a key contains no site; or, where the site's rows are scanned in some order, it is partial,
--   with a condition on the order's column that other queries don't fulfil.
-- - The policies below and the writer's look-ups compare the site by `is not distinct from`, which no index supports.
-- The tables of people and places stay small, whatever the history.

do $$
begin
    if not exists (select from pg_roles where rolname = 'crewbell_server') then
        create role crewbell_server nologin;
        execute format('grant crewbell_server to %I', current_user);
    end if;
end
$$;

-- Returns the site whose rows this connection may see; null when none is set, and then no row is visible.
create function current_site() returns uuid
    language sql stable parallel safe
    return nullif(current_setting('crewbell.site_id', true), '')::uuid;

-- A tenant: a yacht, a hotel, a service company. Readable by every connection, because a sign-in names its site by
-- slug.
-- `head` is the sequence number of the last entry in the site's log. The last statement of an appending transaction
-- increments it; the row lock that this takes makes sequence order equal commit order, with no gaps.
create table sites (
    id uuid constraint sites_pk primary key,
    slug text not null constraint sites_slug_key unique
        constraint sites_slug_shape check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    name text not null constraint sites_name_shape check (char_length(name) between 1 and 200),
    settings json not null,
    -- SHA-256 of the join code with which new buttons and gateways sign in; null: such sign-ins are refused.
    join_code_hash bytea,
    head bigint not null default 0 constraint sites_head_shape check (head >= 0),
    -- Sequence number of the oldest entry in `entries`; older ones are in the monthly archives.
    first_seq bigint not null default 1,
    -- Outcomes of commands decided before this time may have been deleted; null: none was ever deleted.
    commands_forgotten_before timestamptz,
    created_at timestamptz not null
) with (fillfactor = 50);

-- The identity of this installation, independent of its address: a device sends its token to no other installation. It
-- is part of a backup, so a restored server keeps it.
create table instance (
    one boolean constraint instance_pk primary key default true constraint instance_one check (one),
    id uuid not null
);
insert into instance (id) values (gen_random_uuid());

-- Names are compared by `name_key`, which the server computes (Unicode caseless matching), so that uniqueness doesn't
-- depend on the database's locale.

-- The crew. `secret_hash` is an argon2id string (RFC 9106) of a PIN or password; null: the person can't sign in.
create table people (
    site_id uuid not null constraint people_site_fk references sites,
    id uuid not null,
    name text not null constraint people_name_shape check (char_length(name) between 1 and 200),
    role text not null
        constraint people_role_shape check (role in ('crew', 'supervisor', 'technician', 'dispatcher', 'admin')),
    on_duty boolean not null,
    active boolean not null,
    secret_hash text,
    name_key text not null,
    constraint people_pk primary key (site_id, id)
);
create unique index people_name_key on people (name_key, site_id);

-- The session of a person on a device. The token is 256 random bits; only its SHA-256 is stored.
create table sessions (
    site_id uuid not null,
    id uuid not null,
    person_id uuid not null,
    device_id uuid not null,
    device_name text not null,
    token_hash bytea not null,
    created_at timestamptz not null,
    -- Time of the last use, written once an hour at most.
    used_at timestamptz not null,
    -- Number of days since the last use on which the server ran; the session ends when it reaches the site's limit.
    -- A counter and not a time span, so that a clock jump of years ends no session.
    unused_days integer not null default 0,
    -- The last counted day, in days since 1970-01-01 UTC.
    counted_day integer not null,
    ended_at timestamptz,
    constraint sessions_pk primary key (id, site_id),
    constraint sessions_person_fk foreign key (site_id, person_id) references people,
    constraint sessions_token_key unique (token_hash, site_id)
);
create index sessions_live_by_person on sessions (person_id) where ended_at is null;
-- Finds out whether a person has used a device before; includes ended sessions.
create index sessions_by_device on sessions (person_id, device_id);

-- Cabins, rooms, decks, as a tree.
create table places (
    site_id uuid not null constraint places_site_fk references sites,
    id uuid not null,
    parent_id uuid,
    name text not null constraint places_name_shape check (char_length(name) between 1 and 200),
    kind text not null constraint places_kind_shape check (kind in ('deck', 'cabin', 'shared', 'crew')),
    position integer not null,
    do_not_disturb boolean not null,
    name_key text not null,
    constraint places_pk primary key (site_id, id),
    constraint places_parent_fk foreign key (site_id, parent_id) references places,
    constraint places_own_parent check (parent_id <> id)
);
create unique index places_name_key on places (name_key, site_id);

create table guests (
    site_id uuid not null constraint guests_site_fk references sites,
    id uuid not null,
    name text not null constraint guests_name_shape check (char_length(name) between 1 and 200),
    notes text not null constraint guests_notes_shape check (char_length(notes) <= 2000),
    constraint guests_pk primary key (id, site_id)
);
create index guests_of_site on guests (site_id, name) where name is not null;

-- A guest's stay in a place. A guest stays in one place at a time; a place may have several guests.
create table stays (
    site_id uuid not null,
    id uuid not null,
    guest_id uuid not null,
    place_id uuid not null,
    checked_in_at timestamptz not null,
    checked_out_at timestamptz,
    constraint stays_pk primary key (id, site_id),
    constraint stays_guest_fk foreign key (guest_id, site_id) references guests,
    constraint stays_place_fk foreign key (site_id, place_id) references places
);
create unique index stays_current_by_guest on stays (guest_id, site_id) where checked_out_at is null;
create index stays_current_by_place on stays (place_id) where checked_out_at is null;
create index stays_ended on stays (site_id, checked_out_at) where checked_out_at is not null;

-- Buttons. `memory` is the dedup state, by which repetitions are told from new presses. It and `seen_at` change with
-- every message, so they are not part of the button's entity in the log.
create table buttons (
    site_id uuid not null constraint buttons_site_fk references sites,
    id uuid not null,
    device text not null constraint buttons_device_shape check (octet_length(device) between 1 and 64),
    name text constraint buttons_name_shape check (char_length(name) between 1 and 200),
    state text not null constraint buttons_state_shape check (state in ('new', 'assigned', 'retired')),
    place_id uuid,
    -- SHA-256 of the button's own MQTT password (128 random bits); null while it uses the join code.
    secret_hash bytea,
    online boolean,
    flapping_since timestamptz,
    battery_percent smallint constraint buttons_battery_shape check (battery_percent between 0 and 100),
    rssi_dbm smallint,
    firmware text,
    last_seen_at timestamptz,
    memory json not null,
    seen_at timestamptz,
    -- Origin of its first message, as address and client id; the number of unassigned buttons is limited for each.
    found_via text,
    constraint buttons_pk primary key (id, site_id),
    constraint buttons_device_key unique (device, site_id),
    constraint buttons_place_fk foreign key (site_id, place_id) references places,
    constraint buttons_assigned_somewhere check (state <> 'assigned' or place_id is not null)
) with (fillfactor = 70);
create index buttons_of_site on buttons (site_id, state) where state is not null;

-- Requests of guests. The columns of a state are set if the request is in that state.
create table requests (
    site_id uuid not null,
    id uuid not null,
    place_id uuid not null,
    place_name text not null,
    guest_id uuid,
    button_id uuid,
    created_by uuid,
    created_by_name text,
    created_at timestamptz not null,
    kind text not null constraint requests_kind_shape check (kind in ('call', 'urgent', 'voice', 'emergency', 'service')),
    service text,
    priority text not null
        constraint requests_priority_shape check (priority in ('low', 'normal', 'high', 'emergency')),
    text text,
    press_count integer not null,
    last_press_id text,
    last_press_at timestamptz,
    voice json,
    notes json not null,
    state text not null
        constraint requests_state_shape check (state in ('open', 'accepted', 'completed', 'cancelled')),
    accepted_by uuid,
    accepted_by_name text,
    accepted_at timestamptz,
    closed_by uuid,
    closed_by_name text,
    closed_at timestamptz,
    cancel_reason text,
    -- The person who had accepted another request of the place when this one was made.
    held json,
    constraint requests_pk primary key (id, site_id),
    constraint requests_place_fk foreign key (site_id, place_id) references places,
    constraint requests_guest_fk foreign key (guest_id, site_id) references guests,
    constraint requests_button_fk foreign key (button_id, site_id) references buttons,
    constraint requests_accepted_by_fk foreign key (site_id, accepted_by) references people,
    constraint requests_accepted_has_holder check (state not in ('accepted', 'completed') or accepted_by is not null),
    constraint requests_closed_has_time check ((state in ('completed', 'cancelled')) = (closed_at is not null))
) with (fillfactor = 80);
-- The board: open and accepted requests; small, whatever the history.
create index requests_live on requests (site_id, created_at)
    where state in ('open', 'accepted') and created_at is not null;
-- The press path looks up the open and the accepted requests of a place. The time of the last press is not indexed: a
-- press that joins its request changes it, and must not update an index.
create index requests_unanswered on requests (place_id) where state in ('open', 'accepted');
create index requests_by_time on requests (site_id, created_at) where created_at is not null;
create index requests_by_place on requests (place_id, created_at) where created_at is not null;
create index requests_by_person on requests (accepted_by, created_at) where accepted_by is not null;
-- Find the request of a recording: the button's recent requests, and its open or accepted ones of any age.
create index requests_voice_made on requests (button_id, created_at) where voice is not null;
create index requests_voice_live on requests (button_id) where voice is not null and state in ('open', 'accepted');

-- Every accepted press. `press_key` is the identity by which a resend is recognised as a duplicate.
create table presses (
    site_id uuid not null,
    id uuid not null,
    button_id uuid not null,
    press_key text,
    device_press_id text,
    kind text not null constraint presses_kind_shape check (kind in ('single', 'double', 'long', 'shake', 'emergency')),
    key text not null constraint presses_key_shape check (key in ('main', 'aux1', 'aux2', 'aux3', 'aux4')),
    device_time timestamptz,
    received_at timestamptz not null,
    -- The request that the press made or joined; null for a button without a place, and for do-not-disturb.
    request_id uuid,
    constraint presses_pk primary key (id, site_id),
    constraint presses_button_fk foreign key (button_id, site_id) references buttons,
    constraint presses_request_fk foreign key (request_id, site_id) references requests,
    constraint presses_press_key unique (button_id, press_key, site_id)
);

-- Recordings of guests holding the button, in the format sent. Without a request: the button had no place yet.
create table recordings (
    site_id uuid not null,
    id uuid not null,
    button_id uuid not null,
    request_id uuid,
    received_at timestamptz not null,
    format text not null,
    duration_ms integer,
    bytes bytea not null,
    constraint recordings_pk primary key (id, site_id),
    constraint recordings_button_fk foreign key (button_id, site_id) references buttons,
    constraint recordings_request_fk foreign key (request_id, site_id) references requests
);

-- Device messages that are not presses: counted by device, reason and topic, with the last message of each, for the
-- administrator. The number of rows is limited for each device and in total; see `db::unrecognised`.
create table unrecognised_messages (
    site_id uuid not null constraint unrecognised_messages_site_fk references sites,
    device text not null,
    reason text not null,
    topic text not null,
    sample bytea not null,
    times bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    constraint unrecognised_messages_pk primary key (site_id, device, reason, topic)
);

-- Commands of clients and their outcomes (idempotency): a repeated command gets the recorded outcome.
create table commands (
    site_id uuid not null constraint commands_site_fk references sites,
    id uuid not null,
    person_id uuid,
    verb text not null,
    -- SHA-256 of the verb with its arguments, to detect an idempotency key reused for another command.
    digest bytea not null,
    made_at timestamptz,
    at timestamptz not null,
    seq bigint,
    refusal json,
    constraint commands_pk primary key (id, site_id)
);
-- Finds commands past their retention.
create index commands_by_time on commands (site_id, at) where at is not null;

-- The log. `payload` is json and not jsonb, so that every channel returns the same bytes.
create table entries (
    site_id uuid not null constraint entries_site_fk references sites,
    seq bigint not null,
    event_id uuid not null,
    at timestamptz not null,
    actor_id uuid,
    actor_name text not null,
    source text not null constraint entries_source_shape check (source in ('device', 'app', 'server')),
    category text not null,
    type text not null,
    entity_type text,
    entity_id uuid,
    changed_fields text[] not null,
    payload json not null,
    -- Who may see the entry; null: everybody at the site.
    audience json,
    command_id uuid,
    constraint entries_pk primary key (site_id, seq)
);
create index entries_by_time on entries using brin (at);
create index entries_by_entity on entries (entity_id, seq) where entity_id is not null;
create index entries_by_actor on entries (actor_id, seq) where actor_id is not null;
-- Finds the entry of a command after the command itself has been deleted.
create index entries_by_command on entries (command_id) where command_id is not null;

-- The archive for entries older than the site's retention, with one partition a month. It has no foreign key: the rows
-- had one in `entries`, and adding a partition would lock `sites`, and with it every press.
create table entries_archive (
    like entries including constraints
) partition by range (at);
create index entries_archive_by_seq on entries_archive (site_id, seq);
create index entries_archive_by_entity on entries_archive (entity_id, seq) where entity_id is not null;
create index entries_archive_by_command on entries_archive (command_id) where command_id is not null;

-- Creates the archive partition of a day's month. The server's role can't create tables, so this runs as the owner.
-- Creating the table first and then attaching it takes no lock that conflicts with readers or writers of the archive.
create function open_archive(day timestamptz) returns text
    language plpgsql security definer set search_path = public, pg_temp
as $$
declare
    month timestamp := date_trunc('month', day at time zone 'UTC');
    name text := 'entries_archive_' || to_char(month, 'YYYY_MM');
begin
    if to_regclass(name) is not null then
        return name;
    end if;
    -- If two servers run this at once, the second waits, and then finds the table.
    perform pg_advisory_xact_lock(hashtextextended(name, 0));
    if to_regclass(name) is null then
        execute format('create table %I (like entries_archive including constraints)', name);
        execute format(
            'alter table entries_archive attach partition %I for values from (%L) to (%L)',
            name, month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
    end if;
    return name;
end
$$;
revoke all on function open_archive from public;
grant execute on function open_archive to crewbell_server;

-- Updates the planner's statistics of the log and its archives after entries were moved. Autovacuum doesn't analyse a
-- partitioned table as a whole, and the server's role may not.
create function count_archive() returns void
    language plpgsql security definer set search_path = public, pg_temp
as $$
begin
    analyze entries, entries_archive;
end
$$;
revoke all on function count_archive from public;
grant execute on function count_archive to crewbell_server;

-- Row-level security and grants for the server's role.
do $$
declare
    name text;
begin
    foreach name in array array[
        'people', 'sessions', 'places', 'guests', 'stays', 'buttons', 'requests', 'presses', 'recordings',
        'unrecognised_messages', 'commands', 'entries', 'entries_archive'
    ] loop
        execute format('alter table %I enable row level security', name);
        execute format(
            'create policy own_site on %I using (site_id is not distinct from current_site()) '
            'with check (site_id = current_site())', name);
        execute format('grant select, insert, update, delete on %I to crewbell_server', name);
    end loop;
end
$$;
alter table sites enable row level security;
create policy any_site on sites for select using (true);
create policy own_site on sites for update using (id = current_site());
create policy new_site on sites for insert with check (id = current_site());
grant select, insert, update on sites to crewbell_server;
grant select on instance to crewbell_server;
-- Entries are immutable: they are inserted and moved to the archive, and never updated.
revoke update on entries, entries_archive from crewbell_server;
revoke delete on entries_archive from crewbell_server;
