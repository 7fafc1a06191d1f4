-- Which server made the last commit: one that cannot tell whether its own was made looks here.
alter table ledger add column writer integer not null default 0 check (writer >= 0);
