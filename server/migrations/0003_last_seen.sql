-- When somebody was last there, so that a restart of the server doesn't forget it.
--
-- No fact of the log, and no part of the person that it tells: presence is live only, and this is its trace. Written when
-- somebody goes and about once a minute while they are there, never with a heartbeat. Null for somebody who never was.
-- A server of the version before beside this one leaves it as it is.
alter table people add column last_seen_at timestamptz;
