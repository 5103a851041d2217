-- What the server said. Another version of this file is never migrated: it is fetched from the server again.
create table entities (
    entity_type text not null,
    id text not null,
    seq integer not null,
    -- The entity as JSON, with its type.
    entity text not null,
    constraint entities_pk primary key (entity_type, id)
) strict;

create table lines (
    seq integer not null primary key,
    line text not null
) strict;

-- One row: how far the log has been read, and when that was the truth.
create table reading (
    one integer not null primary key check (one = 1),
    cursor text,
    heard_at text
) strict;

insert into reading (one) values (1);

-- When people were last there, as far as it is known.
create table seen (
    person_id text not null primary key,
    at text not null
) strict;

pragma user_version = 3;
