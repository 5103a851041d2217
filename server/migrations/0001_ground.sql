-- The ground: sites and everything that belongs to one.
--
-- Every key begins with the site, and so does every foreign key: a row can't point into another tenant. Row-level
-- security is the second wall: a connection sees the site that it was opened for (`crewbell.site_id`) and no other.
-- The role that owns the tables runs migrations and nothing else; the server works as `crewbell_server`, which can
-- read and write rows and can't alter a thing.
--
-- No plan may go by the site alone. While a table has no statistics (a new site, a restored one, a storm) the planner
-- takes the site for as good as a key, keeps that plan, and each press then costs as much as the site has rows. So what is
-- looked up comes first in a key and the site after it; an index that isn't a key has no site in it, or, where the
-- site's rows are walked in some order, a condition on that order's column, which a question about anything else
-- doesn't fulfil; and the policies below, as the look-ups of the writer, compare the site in a way that no index
-- answers (`is not distinct from`). People and places are few, whatever the history.

do $$
begin
    if not exists (select from pg_roles where rolname = 'crewbell_server') then
        create role crewbell_server nologin;
        execute format('grant crewbell_server to %I', current_user);
    end if;
end
$$;

-- The site whose rows this connection may see; null when none was named, and then no row is visible.
create function current_site() returns uuid
    language sql stable parallel safe
    return nullif(current_setting('crewbell.site_id', true), '')::uuid;

-- A yacht, a hotel, a service company. Readable by every connection, because a sign-in names its site by slug.
-- `head` is the number of the last entry in the site's log: whoever appends bumps it in the last statement of a
-- transaction, and the row lock that this takes makes the order of numbers the order of commits, with no gaps.
create table sites (
    id uuid constraint sites_pk primary key,
    slug text not null constraint sites_slug_key unique
        constraint sites_slug_shape check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    name text not null constraint sites_name_shape check (char_length(name) between 1 and 200),
    settings json not null,
    -- SHA-256 of the join code that a new button, or a gateway for many, signs in with; null refuses them.
    join_code_hash bytea,
    head bigint not null default 0 constraint sites_head_shape check (head >= 0),
    -- The first entry that is still in `entries`; older ones are in the month archives.
    tail bigint not null default 1,
    -- What became of commands that were decided before this has been deleted, some of it at least; null: nothing ever was.
    commands_forgotten_before timestamptz,
    created_at timestamptz not null
) with (fillfactor = 50);

-- Which installation this is, whatever address it has: a device sends its token to no other. It goes with a backup: a
-- restored server is the same one.
create table instance (
    one boolean constraint instance_pk primary key default true constraint instance_one check (one),
    id uuid not null
);
insert into instance (id) values (gen_random_uuid());

-- A name is compared by its key, which the server makes (Unicode's caseless matching): what one name is must not hang on
-- a database's locale.

-- The crew. The secret is an argon2id string (RFC 9106) of a PIN or password; null can't sign in.
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

-- A person signed in on a device. The token is 256 random bits; only its SHA-256 is kept.
create table sessions (
    site_id uuid not null,
    id uuid not null,
    person_id uuid not null,
    device_id uuid not null,
    device_name text not null,
    token_hash bytea not null,
    created_at timestamptz not null,
    -- When it was last used, written once an hour at most.
    used_at timestamptz not null,
    -- Days on which the server ran and the session was not used, since it was used last; it ends after as many as the
    -- site says. Days that are counted, and no span between two times: a clock that jumps by years ends no session.
    unused_days integer not null default 0,
    -- The day that was counted last, in days since 1970-01-01 UTC.
    counted_day integer not null,
    ended_at timestamptz,
    constraint sessions_pk primary key (id, site_id),
    constraint sessions_person_fk foreign key (site_id, person_id) references people,
    constraint sessions_token_key unique (token_hash, site_id)
);
create index sessions_live_by_person on sessions (person_id) where ended_at is null;
-- Whether a person has been on a device before: also by sessions that ended.
create index sessions_by_device on sessions (person_id, device_id);

-- Cabins, rooms, decks: a tree.
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

-- A guest's time in a place. A guest stays in one place at a time; a place may hold several.
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

-- Buttons. `memory` is what tells a repetition from a new press; it and `seen_at` change with every message and are
-- therefore no part of what the log tells of a button.
create table buttons (
    site_id uuid not null constraint buttons_site_fk references sites,
    id uuid not null,
    device text not null constraint buttons_device_shape check (octet_length(device) between 1 and 64),
    name text constraint buttons_name_shape check (char_length(name) between 1 and 200),
    state text not null constraint buttons_state_shape check (state in ('new', 'assigned', 'retired')),
    place_id uuid,
    -- SHA-256 of the button's own MQTT password, which is 128 random bits; null while it uses the join code.
    secret_hash bytea,
    online boolean,
    flapping_since timestamptz,
    battery_percent smallint constraint buttons_battery_shape check (battery_percent between 0 and 100),
    rssi_dbm smallint,
    firmware text,
    last_seen_at timestamptz,
    memory json not null,
    seen_at timestamptz,
    -- Who brought its first message, as address and client id: what waits to be assigned is bounded for each.
    found_via text,
    constraint buttons_pk primary key (id, site_id),
    constraint buttons_device_key unique (device, site_id),
    constraint buttons_place_fk foreign key (site_id, place_id) references places,
    constraint buttons_assigned_somewhere check (state <> 'assigned' or place_id is not null)
) with (fillfactor = 70);
create index buttons_of_site on buttons (site_id, state) where state is not null;

-- What guests want. The facts of a state are there when the state is.
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
    -- Who had another request of the place when this one was made.
    held json,
    constraint requests_pk primary key (id, site_id),
    constraint requests_place_fk foreign key (site_id, place_id) references places,
    constraint requests_guest_fk foreign key (guest_id, site_id) references guests,
    constraint requests_button_fk foreign key (button_id, site_id) references buttons,
    constraint requests_accepted_by_fk foreign key (site_id, accepted_by) references people,
    constraint requests_accepted_has_holder check (state not in ('accepted', 'completed') or accepted_by is not null),
    constraint requests_closed_has_time check ((state in ('completed', 'cancelled')) = (closed_at is not null))
) with (fillfactor = 80);
-- The board: what is open or in hand; small, whatever the history.
create index requests_live on requests (site_id, created_at)
    where state in ('open', 'accepted') and created_at is not null;
-- The press path asks for the open requests of a place, and for those that somebody has. The time of the last press is
-- not in it: a press that joins its request changes that, and must not touch an index.
create index requests_unanswered on requests (place_id) where state in ('open', 'accepted');
create index requests_by_time on requests (site_id, created_at) where created_at is not null;
create index requests_by_place on requests (place_id, created_at) where created_at is not null;
create index requests_by_person on requests (accepted_by, created_at) where accepted_by is not null;
-- What a recording belongs to: what its button has asked lately, and what is still live however old it is.
create index requests_voice_made on requests (button_id, created_at) where voice is not null;
create index requests_voice_live on requests (button_id) where voice is not null and state in ('open', 'accepted');

-- Every press that was ever taken. `press_key` is the identity that makes a resend no second press.
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
    -- The request that it made or joined; null for a button without a place, and for do-not-disturb.
    request_id uuid,
    constraint presses_pk primary key (id, site_id),
    constraint presses_button_fk foreign key (button_id, site_id) references buttons,
    constraint presses_request_fk foreign key (request_id, site_id) references requests,
    constraint presses_press_key unique (button_id, press_key, site_id)
);

-- What guests said while they held the button, as it was sent. Without a request: the button had no place yet.
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

-- Messages of devices that are no press: counted by device, reason and topic, with the last of each kept, for the
-- administrator to look at. Bounded for a device and in all; see `db::unheard`.
create table unheard_messages (
    site_id uuid not null constraint unheard_messages_site_fk references sites,
    device text not null,
    reason text not null,
    topic text not null,
    sample bytea not null,
    times bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    constraint unheard_messages_pk primary key (site_id, device, reason, topic)
);

-- What clients wanted done, and what became of it: a command that comes again gets the same outcome.
create table commands (
    site_id uuid not null constraint commands_site_fk references sites,
    id uuid not null,
    person_id uuid,
    verb text not null,
    -- SHA-256 of the verb with its arguments, so that a key used for something else is noticed.
    digest bytea not null,
    made_at timestamptz,
    at timestamptz not null,
    seq bigint,
    refusal json,
    constraint commands_pk primary key (id, site_id)
);
-- Those that are older than they are kept.
create index commands_by_time on commands (site_id, at) where at is not null;

-- The log. `payload` is json and not jsonb: it is read as it was sent, byte for byte, on every channel.
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
    -- Whom it is for; null is everybody at the site.
    audience json,
    command_id uuid,
    constraint entries_pk primary key (site_id, seq)
);
create index entries_by_time on entries using brin (at);
create index entries_by_entity on entries (entity_id, seq) where entity_id is not null;
create index entries_by_actor on entries (actor_id, seq) where actor_id is not null;
-- What a command did, once the command itself is no longer kept.
create index entries_by_command on entries (command_id) where command_id is not null;

-- Where entries go when they are older than the site keeps them: one partition a month. No foreign key: what comes
-- here had it, and a partition that is added would lock `sites`, and with it every press.
create table entries_archive (
    like entries including constraints
) partition by range (at);
create index entries_archive_by_seq on entries_archive (site_id, seq);
create index entries_archive_by_entity on entries_archive (entity_id, seq) where entity_id is not null;
create index entries_archive_by_command on entries_archive (command_id) where command_id is not null;

-- Makes the archive of the month that a day is in. The server's role can't create tables, so this runs as the owner.
-- The table is made first and attached then: that asks for no lock which a reader or writer of the archive has.
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
    -- Two servers at once: the second one waits, and then finds it made.
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

-- Counts the log and its archives anew for the planner, after entries were moved. Nobody else looks at the whole of a
-- partitioned table, and the server's role can't.
create function count_archive() returns void
    language plpgsql security definer set search_path = public, pg_temp
as $$
begin
    analyze entries, entries_archive;
end
$$;
revoke all on function count_archive from public;
grant execute on function count_archive to crewbell_server;

-- The second wall.
do $$
declare
    name text;
begin
    foreach name in array array[
        'people', 'sessions', 'places', 'guests', 'stays', 'buttons', 'requests', 'presses', 'recordings',
        'unheard_messages', 'commands', 'entries', 'entries_archive'
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
-- What happened, happened: entries are written, moved to an archive, and never changed.
revoke update on entries, entries_archive from crewbell_server;
revoke delete on entries_archive from crewbell_server;
