-- Last-seen time of each person, stored so that it survives a restart of the server.
--
-- It is not in the log and not part of the person entity, because presence is live only. Written when the person goes
-- offline and about once a minute while they are online, never on a heartbeat. Null: the person was never online.
-- A server of the previous version beside this one doesn't touch the column.
alter table people add column last_seen_at timestamptz;
