-- Whether a node is given no further instances until it is undrained.
alter table node add column drained integer not null default 0 check (drained in (0, 1));
