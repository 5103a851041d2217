-- What only this device knows. Files like this are only ever added. A column that is added may be null or has a default,
-- so that the version before, which doesn't know of it, can still write; nothing is renamed, and nothing dropped.
create table session (
    one integer not null primary key check (one = 1),
    session text not null
) strict;

create table settings (
    name text not null primary key,
    value text not null
) strict;

-- In the order of `n`. `did` and `doing` stand side by side: salvaging from a damaged file finds them by that.
create table outbox (
    n integer primary key autoincrement,
    id text not null,
    -- The command, who did it and when, as JSON: never changes.
    did text not null,
    -- How far it is, as JSON.
    doing text not null,
    -- A checksum of `did`: a command that a bad disk changed is not sent.
    checksum integer not null,
    constraint outbox_id unique (id)
) strict;

-- Rows of the outbox that couldn't be read: never sent, never deleted; looked at again at every start, for a newer
-- version of the app may know how.
create table unreadable (
    n integer primary key,
    id blob,
    did blob,
    doing blob,
    checksum integer
) strict;

pragma user_version = 1;
