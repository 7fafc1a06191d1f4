-- Herald's tables. Rows are images that the kernel computed; the CHECKs repeat its invariants, so that a row that
-- breaks one is refused and never read back. Times are milliseconds since 1970 (UTC); ids are the numbers that the
-- eight characters behind an id's prefix spell in base 36; 0 and 1 are false and true.
-- Tables whose rows are found by their key alone have no rowid: a page is one walk along the primary key. In the
-- tables that are written most, states are compared one by one: SQLite would build a table for a longer list of them
-- each time that a row is written.

-- The ledger's stream, one row. Used by every commit (compares and raises version) and at the start.
create table ledger (
    id          integer not null primary key check (id = 1),
    version     integer not null check (version >= 0),
    now         integer not null,
    next_stream integer not null check (next_stream >= 0)
) strict;
insert into ledger (id, version, now, next_stream) values (1, 0, 0, 0);

-- Topics. Used by the start, and by the pages of topics.
create table topic (
    no                integer not null primary key check (no > 0),
    id                integer not null unique check (id >= 0),
    name              text    not null,
    name_key          text    not null unique,
    filter            text    not null check (filter in ('tags', 'routing')),
    max_msg_bytes     integer not null check (max_msg_bytes >= 0),
    retention_s       integer not null check (retention_s >= 0),
    trace             integer not null check (trace in (0, 1)),
    tags              text    not null,
    next_seq          integer not null check (next_seq > 0),
    next_subscription integer not null check (next_subscription > 0),
    created           integer not null,
    modified          integer not null
) strict;

-- Tags of topics. Used by the filters of their pages.
create table topic_tag (
    topic integer not null,
    place integer not null,
    key   text    not null,
    value text    not null,
    primary key (topic, place)
) strict, without rowid;

-- The logs of topics. Used by fan-out, by push, by the lists of a job's or environment's messages (from one to the one
-- before it, `previous`), and by the removal of what is over its retention.
create table topic_message (
    topic       integer not null,
    seq         integer not null check (seq > 0),
    published   integer not null,
    body        text    not null,
    tags        text    not null,
    routing_key text    not null,
    previous    integer not null check (previous >= 0 and previous < seq),
    -- Whose event it is: the id of a job, environment or subscription. Null: a client's text.
    owner       text,
    primary key (topic, seq)
) strict, without rowid;

-- Queues. Used by the start, and by the pages of queues. heap: the number that a queue's messages are stored under;
-- kept_heap: the one its deleted messages are kept under, while it keeps them.
create table queue (
    no              integer not null primary key check (no > 0),
    id              integer not null unique check (id >= 0),
    name            text    not null,
    name_key        text    not null unique,
    max_messages    integer not null check (max_messages >= 0),
    polling_wait_s  integer not null check (polling_wait_s >= 0),
    visibility_s    integer not null check (visibility_s >= 0),
    max_msg_bytes   integer not null check (max_msg_bytes >= 0),
    retention_s     integer not null check (retention_s >= 0),
    rewind_s        integer not null check (rewind_s between 0 and retention_s),
    kept_max_bytes  integer not null check (kept_max_bytes >= 0),
    trace           integer not null check (trace in (0, 1)),
    dead_queue      integer,
    dead_receives   integer check (dead_receives > 0),
    dead_age_s      integer check (dead_age_s < retention_s),
    heap            integer not null unique check (heap > 0),
    next_seq        integer not null check (next_seq > 0),
    stored          integer not null check (stored >= 0),
    kept_heap       integer unique,
    kept            integer not null check (kept >= 0),
    kept_bytes      integer not null check (kept_bytes >= 0),
    rewinding       text,
    tags            text    not null,
    created         integer not null,
    modified        integer not null,
    check ((rewind_s > 0) = (kept_heap is not null)),
    check (kept_heap is not null or (kept = 0 and rewinding is null)),
    check ((dead_queue is null) = (dead_receives is null and dead_age_s is null)),
    check (dead_receives is null or dead_age_s is null),
    check (dead_queue is null or dead_queue <> no)
) strict;

-- Tags of queues. Used by the filters of their pages.
create table queue_tag (
    queue integer not null,
    place integer not null,
    key   text    not null,
    value text    not null,
    primary key (queue, place)
) strict, without rowid;

-- Messages of queues. Used by deletion of received messages (by key) and by expiry (in order of the key). origin:
-- what a dead letter was in the queue it comes from.
create table queue_message (
    heap           integer not null,
    seq            integer not null check (seq > 0),
    body           text    not null,
    enqueued       integer not null,
    visible        integer not null,
    first_dequeued integer,
    dequeues       integer not null check (dequeues >= 0),
    receipt        integer not null check (receipt >= 0),
    origin         text,
    primary key (heap, seq),
    check ((dequeues = 0) = (first_dequeued is null)),
    check ((dequeues = 0) = (receipt = 0))
) strict, without rowid;
-- Used by receiving: the head of a queue; and by long polls: when the next message becomes visible.
create index queue_message_visible on queue_message (heap, visible, seq);

-- Deleted messages that their queues can be set back to. Used by their removal (in order of the key). Apart from the
-- others, so that those who wait stay as close together as in a queue that keeps nothing.
create table kept_message (
    heap     integer not null,
    seq      integer not null check (seq > 0),
    body     text    not null,
    enqueued integer not null,
    deleted  integer not null check (deleted >= enqueued),
    origin   text,
    primary key (heap, seq)
) strict, without rowid;
-- Used by setting a queue back: those sent since a moment.
create index kept_message_enqueued on kept_message (heap, enqueued, seq);

-- Subscriptions. Used by the start, and by the pages of a topic's subscriptions.
create table subscription (
    topic          integer not null,
    no             integer not null check (no > 0),
    id             integer not null unique check (id >= 0),
    name           text    not null,
    name_key       text    not null,
    protocol       text    not null check (protocol in ('queue', 'http')),
    queue          integer,
    endpoint       text    not null,
    endpoint_key   text    not null,
    strategy       text    not null check (strategy in ('BACKOFF_RETRY', 'EXPONENTIAL_DECAY_RETRY')),
    format         text    not null check (format in ('JSON', 'SIMPLIFIED', 'CLOUDEVENTS')),
    filter_tags    text    not null,
    binding_keys   text    not null,
    -- What it asks for beyond CMQ, what its posts are signed with, whether posts leave, how the last ones went, how
    -- many events of its own each topic has had: objects in JSON, read with their row only.
    manner         text    not null,
    secrets        text    not null,
    stage          text    not null,
    health         text    not null,
    outlets        text    not null,
    replays        text    not null,
    start          integer not null check (start >= 0),
    cursor         integer not null check (cursor >= start),
    created        integer not null,
    modified       integer not null,
    primary key (topic, no),
    unique (topic, name_key),
    check ((protocol = 'queue') = (queue is not null)),
    check (protocol = 'http' or (format = 'SIMPLIFIED' and secrets = 'null'))
) strict, without rowid;

-- Deliveries that have failed or are ahead of their cursor. Used by the push loop and by the list of the dead.
create table delivery (
    topic        integer not null,
    subscription integer not null,
    seq          integer not null check (seq > 0),
    state        text    not null check (state in ('RETRYING', 'DELIVERED', 'DEAD')),
    next         integer,
    attempts     integer not null check (attempts >= 0),
    -- When it was given up: such a delivery is kept as long as attempts are, longer than its message.
    dead_since   integer,
    primary key (topic, subscription, seq),
    check ((state = 'RETRYING') = (next is not null)),
    check ((state = 'DEAD') = (dead_since is not null))
) strict, without rowid;
-- Used by the removal of deliveries that were given up long ago.
create index delivery_dead on delivery (dead_since) where state = 'DEAD';

-- Every attempt of every delivery. Used by the lists of attempts.
create table attempt (
    topic        integer not null,
    subscription integer not null,
    seq          integer not null check (seq > 0),
    number       integer not null check (number > 0),
    at           integer not null,
    duration_ms  integer not null check (duration_ms >= 0),
    address      text    not null,
    status       integer,
    text         text    not null,
    primary key (topic, subscription, seq, number)
) strict, without rowid;
-- Used by the removal of old attempts.
create index attempt_at on attempt (at);

-- Task templates. Used by the start, and by the pages of templates. spec: what was asked for, with its secrets.
create table template (
    id          integer not null primary key check (id >= 0),
    created     integer not null,
    name        text    not null,
    spec        text    not null
) strict;
-- Used by the pages of templates, the newest first.
create index template_newest on template (created, id);

-- Tags of task templates. Used by the filters of their pages.
create table template_tag (
    template integer not null,
    place    integer not null,
    key      text    not null,
    value    text    not null,
    primary key (template, place)
) strict, without rowid;

-- Compute environments. Used by the start, and by the pages of environments.
create table env (
    id          integer not null primary key check (id >= 0),
    -- The task that it was made for; null: somebody made it.
    owner_job   integer,
    owner_task  integer check (owner_task >= 0),
    name        text    not null,
    description text    not null,
    zone        text    not null,
    desired     integer not null check (desired >= 0),
    -- What new nodes are: beside the specification, which is written once.
    types       text    not null,
    deleting    integer not null check (deleting in (0, 1)),
    created     integer not null,
    outlets     text    not null,
    check ((owner_job is null) = (owner_task is null))
) strict;
-- Used by the pages of environments, the newest first.
create index env_newest on env (created, id) where owner_job is null;
-- Used by the start: jobs whose own nodes are not gone are loaded though they have finished.
create index env_owner on env (owner_job) where owner_job is not null;

-- What environments were asked to be: written once, so that a change of the row above is small.
create table env_spec (
    env  integer not null primary key,
    spec text    not null
) strict;

-- Tags of environments. Used by the filters of their pages.
create table env_tag (
    env   integer not null,
    place integer not null,
    key   text    not null,
    value text    not null,
    primary key (env, place)
) strict, without rowid;

-- Machines that joined. Used by the start. credential: a digest of the secret that the machine's agent shows; facts:
-- what that says of the machine, as JSON.
create table machine (
    id         integer not null primary key check (id >= 0),
    credential text    not null,
    facts      text    not null,
    joined     integer not null,
    seen       integer not null check (seen >= joined)
) strict;

-- Compute nodes. Used by the start, and by the description of an environment.
create table node (
    id               integer not null primary key check (id >= 0),
    machine          integer not null check (machine >= 0),
    -- Whether the machine was attached; else it was made for the node.
    attached         integer not null check (attached in (0, 1)),
    env              integer not null,
    state            text    not null check (state in
        ('SUBMITTED', 'CREATING', 'CREATED', 'CREATION_FAILED', 'RUNNING', 'RESTARTING', 'ABNORMAL', 'DELETING')),
    not_before       integer,
    -- What is done to it once it holds no instance.
    after            text    check (after in ('destroy', 'restart')),
    kind             text    not null,
    slots            integer not null check (slots >= 0),
    cpu              integer not null check (cpu >= 0),
    mem_gb           integer not null check (mem_gb >= 0),
    created          integer not null,
    resource_created integer,
    running          integer,
    recreations      integer not null check (recreations >= 0),
    agent_version    text    not null,
    addresses        text    not null,
    limits           text    not null,
    reason           text    not null,
    check ((state = 'SUBMITTED') = (not_before is not null))
) strict;
-- Used by the description of an environment: its nodes.
create index node_env on node (env, id);

-- Activities: the making and the end of each node of an environment. Used by the start (those that go on).
create table activity (
    id      integer not null primary key check (id >= 0),
    env     integer not null,
    node    integer not null,
    kind    text    not null check (kind in ('CREATE_COMPUTE_NODE', 'TERMINATE_COMPUTE_NODE')),
    machine integer not null check (machine >= 0),
    cause   text    not null,
    state   text    not null check (state in ('SUBMITTED', 'PROCESSING', 'SUCCEED', 'FAILED')),
    reason  text    not null,
    started integer not null,
    ended   integer,
    check ((state in ('SUCCEED', 'FAILED')) = (ended is not null))
) strict;
-- Used by the pages of an environment's activities, the newest first, and by the removal of a deleted environment's.
create index activity_newest on activity (env, started, id);
-- Used by the pages of some nodes' activities.
create unique index activity_node on activity (env, node, kind);
-- Used by the removal of activities that ended long ago.
create index activity_ended on activity (ended) where ended is not null;

-- Jobs, those that have finished too. Used by the start, and by the pages of jobs. The counts are of its tasks
-- (task_) and of their instances (instance_) by state.
create table job (
    id          integer not null primary key check (id >= 0),
    name        text    not null,
    zone        text    not null,
    state       text    not null check (
        state = 'SUBMITTED' or state = 'PENDING' or state = 'RUNNABLE' or state = 'STARTING' or
        state = 'RUNNING' or state = 'SUCCEED' or state = 'FAILED' or state = 'FAILED_INTERRUPTED'),
    created     integer not null,
    ended       integer,
    reason      text    not null,
    terminating integer not null check (terminating in (0, 1)),
    has_run     integer not null check (has_run in (0, 1)),
    task_submitted              integer not null check (task_submitted >= 0),
    task_pending                integer not null check (task_pending >= 0),
    task_runnable               integer not null check (task_runnable >= 0),
    task_starting               integer not null check (task_starting >= 0),
    task_running                integer not null check (task_running >= 0),
    task_succeed                integer not null check (task_succeed >= 0),
    task_failed                 integer not null check (task_failed >= 0),
    task_failed_interrupted     integer not null check (task_failed_interrupted >= 0),
    instance_submitted          integer not null check (instance_submitted >= 0),
    instance_pending            integer not null check (instance_pending >= 0),
    instance_runnable           integer not null check (instance_runnable >= 0),
    instance_starting           integer not null check (instance_starting >= 0),
    instance_running            integer not null check (instance_running >= 0),
    instance_succeed            integer not null check (instance_succeed >= 0),
    instance_failed             integer not null check (instance_failed >= 0),
    instance_failed_interrupted integer not null check (instance_failed_interrupted >= 0),
    -- Why nothing of it runs, as it was told last: tasks and words, as JSON; null when there is nothing to tell.
    blocked     text,
    outlets     text    not null,
    check ((state in ('SUCCEED', 'FAILED')) = (ended is not null)),
    check (blocked is null or state not in ('SUCCEED', 'FAILED')),
    check (terminating = 0 or state not in ('SUCCEED', 'FAILED'))
) strict;
-- Used by the pages of jobs, the newest first.
create index job_newest on job (created, id);
-- Used by the start: jobs that go on.
create index job_unfinished on job (id) where state not in ('SUCCEED', 'FAILED');
-- Used by the removal of jobs that ended long ago.
create index job_ended on job (ended) where ended is not null;

-- What jobs were asked to do: written once, so that a change of the row above is small.
create table job_spec (
    job  integer not null primary key,
    spec text    not null
) strict;

-- Tags of jobs. Used by the filters of their pages.
create table job_tag (
    job   integer not null,
    place integer not null,
    key   text    not null,
    value text    not null,
    primary key (job, place)
) strict, without rowid;

-- Tasks. Used by the start, and by the description of a job. bulk: the instances without rows, as ranges.
create table task (
    job       integer not null,
    task      integer not null check (task >= 0),
    state     text    not null check (
        state = 'SUBMITTED' or state = 'PENDING' or state = 'RUNNABLE' or state = 'STARTING' or
        state = 'RUNNING' or state = 'SUCCEED' or state = 'FAILED' or state = 'FAILED_INTERRUPTED'),
    created   integer not null,
    ended     integer,
    reason    text    not null,
    has_run   integer not null check (has_run in (0, 1)),
    instance_submitted          integer not null check (instance_submitted >= 0),
    instance_pending            integer not null check (instance_pending >= 0),
    instance_runnable           integer not null check (instance_runnable >= 0),
    instance_starting           integer not null check (instance_starting >= 0),
    instance_running            integer not null check (instance_running >= 0),
    instance_succeed            integer not null check (instance_succeed >= 0),
    instance_failed             integer not null check (instance_failed >= 0),
    instance_failed_interrupted integer not null check (instance_failed_interrupted >= 0),
    bulk      text    not null,
    intent    text,
    -- Of a retried job's task: instances from redo_from on, so many, whose rows say FAILED until their turn comes to
    -- be without a row again. They are counted by the state they go to.
    redo_from integer check (redo_from >= 0),
    redo_left integer check (redo_left > 0),
    attempts  integer not null check (attempts >= 0),
    primary key (job, task),
    check ((state in ('SUCCEED', 'FAILED')) = (ended is not null)),
    check ((redo_from is null) = (redo_left is null)),
    check (redo_left is null or state not in ('SUCCEED', 'FAILED'))
) strict, without rowid;

-- Instances that have left their task's bulk state. Used by the start (those of unfinished jobs), by the pages of a
-- task's instances, and by the removal of a job's.
create table instance (
    job        integer not null,
    task       integer not null,
    idx        integer not null check (idx >= 0),
    state      text    not null check (
        state = 'RUNNABLE' or state = 'STARTING' or state = 'RUNNING' or
        state = 'SUCCEED' or state = 'FAILED' or state = 'FAILED_INTERRUPTED'),
    asked      text    check (asked = 'run' or asked = 'return' or asked = 'kill'),
    not_before integer,
    attempt    integer not null check (attempt >= 0),
    failures   integer not null check (failures >= 0),
    created    integer not null,
    launched   integer,
    running    integer,
    ended      integer,
    exit_code  integer,
    reason     text    not null,
    node       integer,
    machine    integer,
    env        integer,
    primary key (job, task, idx),
    check ((state = 'RUNNABLE') = (not_before is not null)),
    check ((state in ('STARTING', 'RUNNING')) = (asked is not null)),
    check (asked is null or (node is not null and attempt > 0)),
    check (ended is null or asked is null),
    check (ended is not null or state not in ('SUCCEED', 'FAILED'))
) strict, without rowid;

-- The last output of instances' latest runs. Used by DescribeTaskLogs. Apart from the instances, so that their rows
-- stay small and are not rewritten with their output.
create table log_tail (
    job     integer not null,
    task    integer not null,
    idx     integer not null,
    attempt integer not null,
    stdout  blob    not null,
    stderr  blob    not null,
    primary key (job, task, idx)
) strict, without rowid;

-- What runs use, in hundredths of a percent. Used by DescribeJobMonitorData.
create table sample (
    job     integer not null,
    task    integer not null,
    idx     integer not null,
    attempt integer not null check (attempt > 0),
    number  integer not null check (number >= 0),
    at      integer not null,
    cpu     integer not null check (cpu between 0 and 10000),
    mem     integer not null check (mem between 0 and 10000),
    disks   text    not null,
    primary key (job, task, idx, attempt, number)
) strict, without rowid;
-- Used by the removal of old samples.
create index sample_at on sample (at);

-- Client tokens. Used by the start.
create table client_token (
    key    text    not null primary key,
    digest text    not null,
    answer text    not null,
    used   integer not null
) strict, without rowid;

-- What has been deleted and still has rows elsewhere: a job's or environment's id, a topic's number, the numbers that a
-- queue's messages were stored and kept under, a subscription's topic and number. Used by the sweep that removes those rows in chunks.
create table garbage (
    kind text    not null check (kind in ('JOB', 'ENV', 'TOPIC', 'HEAP', 'KEPT_HEAP', 'SUBSCRIPTION')),
    a    integer not null,
    b    integer not null,
    primary key (kind, a, b)
) strict, without rowid;
