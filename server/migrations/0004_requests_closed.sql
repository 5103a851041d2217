-- Finds the requests closed since a time: a snapshot has them for as many days after their end as the site says,
-- whenever they were made. A request that was open for longer than that was missing from a new device.
--
-- The condition on `closed_at` is one that no other query fulfils (see the head of the first migration). A press that
-- joins its request leaves the column null, so it updates no index. A server of the previous version beside this one
-- doesn't need the index, and waits for the moment in which it is built.
create index requests_closed on requests (site_id, closed_at) where closed_at is not null;
