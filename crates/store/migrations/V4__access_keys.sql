-- Key pairs that were made for somebody, beside the installation's own. Used by the start. sealed, earlier: secrets,
-- encrypted with a key that is not in here; grants: what the pair may do to what, as JSON.
create table access_key (
    secret_id     text    not null primary key check (secret_id <> ''),
    sealed        text    not null check (sealed <> ''),
    earlier       text,
    earlier_until integer,
    note          text    not null,
    grants        text    not null,
    disabled      integer not null check (disabled in (0, 1)),
    created       integer not null,
    modified      integer not null check (modified >= created),
    check ((earlier is null) = (earlier_until is null))
) strict;

-- Tokens that no machine has joined with. Used by the start. digest: all that is kept of one.
create table join_token (
    digest   text    not null primary key check (digest <> ''),
    created  integer not null,
    until    integer not null check (until >= created)
) strict;
