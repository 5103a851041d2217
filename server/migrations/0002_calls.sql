-- Voice calls: caller, callee, subject and outcome. Audio is never stored.
--
-- Compatible with a server of the previous version beside this one: it writes no calls, and its people aren't busy.

-- Whether the person has set themselves busy, and doesn't want to be called.
alter table people add column busy boolean not null default false;

-- The columns of a state are set if the call is in that state. Names are copied at the time of the call.
create table calls (
    site_id uuid not null,
    id uuid not null,
    caller uuid not null,
    caller_name text not null,
    callee uuid not null,
    callee_name text not null,
    -- The subject: a request or a place, and in later versions more; its entity type, id and name at the time.
    about_type text,
    about_id uuid,
    about_name text,
    -- Endpoint ids, new at each start of the app; null for a client without voice.
    caller_endpoint uuid,
    callee_endpoint uuid,
    call_time timestamptz not null,
    rings_until timestamptz not null,
    -- Time at which the callee saw the missed call.
    seen_at timestamptz,
    state text not null constraint calls_state_shape check (state in ('ringing', 'ongoing', 'ended')),
    answered_at timestamptz,
    ended_at timestamptz,
    ended_by uuid,
    ended_by_name text,
    outcome text constraint calls_outcome_shape
        check (outcome in ('completed', 'missed', 'rejected', 'cancelled', 'dropped')),
    missed_why text constraint calls_missed_why_shape
        check (missed_why in ('no_answer', 'busy', 'in_call', 'offline')),
    duration_s bigint constraint calls_duration_shape check (duration_s >= 0),
    constraint calls_pk primary key (id, site_id),
    constraint calls_caller_fk foreign key (site_id, caller) references people,
    constraint calls_callee_fk foreign key (site_id, callee) references people,
    constraint calls_ended_by_fk foreign key (site_id, ended_by) references people,
    constraint calls_two_people check (caller <> callee),
    constraint calls_about_whole check (num_nulls(about_type, about_id, about_name) in (0, 3)),
    constraint calls_ringing_unanswered check (state <> 'ringing' or answered_at is null),
    constraint calls_ongoing_answered check (state <> 'ongoing' or answered_at is not null),
    constraint calls_ended_how check (
        num_nulls(ended_at, outcome, duration_s) = case state when 'ended' then 0 else 3 end),
    constraint calls_missed_why check ((missed_why is not null) = (outcome is not distinct from 'missed'))
);
-- A person is the caller of one live call at most, and the callee of one at most. That nobody calls while being called
-- is ensured by the writer, which locks both people first.
create unique index calls_live_by_caller on calls (caller, site_id) where state in ('ringing', 'ongoing');
create unique index calls_live_by_callee on calls (callee, site_id) where state in ('ringing', 'ongoing');
-- The badge: a person's missed calls that they haven't seen.
create index calls_unseen on calls (callee, call_time)
    where state = 'ended' and answered_at is null and outcome <> 'rejected' and seen_at is null;
-- The history: of the site, of a person as caller or callee, of a subject.
create index calls_by_time on calls (site_id, call_time) where call_time is not null;
create index calls_by_caller on calls (caller, call_time);
create index calls_by_callee on calls (callee, call_time);
create index calls_by_about on calls (about_id) where about_id is not null;

-- Row-level security and grants for the server's role.
alter table calls enable row level security;
create policy own_site on calls using (site_id is not distinct from current_site()) with check (site_id = current_site());
grant select, insert, update, delete on calls to crewbell_server;
