-- What came in and went out through the network of a run, as [bytes/s, bytes/s]; null where the run has no network of
-- its own.
alter table sample add column net text;
