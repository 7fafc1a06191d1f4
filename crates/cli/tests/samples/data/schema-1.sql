BEGIN TRANSACTION;
CREATE TABLE activity (
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
INSERT INTO "activity" VALUES(1071103683307,1698711317548,1747320967062,'CREATE_COMPUTE_NODE',1590715576694,'CreateComputeEnv: the capacity is 1','SUCCEED','',1795760248550,1795760248562);
CREATE TABLE attempt (
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
INSERT INTO "attempt" VALUES(1,2,1,1,1795760248496,0,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,1,2,1795760249500,1,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,1,3,1795760251502,0,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,1,4,1795760255505,0,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,1,5,1795760263508,1,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,2,1,1795760248509,0,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,2,2,1795760249512,0,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,2,3,1795760251514,0,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,2,4,1795760255517,1,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,2,5,1795760263520,1,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,3,1,1795760248522,2,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,3,2,1795760249525,0,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,3,3,1795760251528,0,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,3,4,1795760255531,0,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(1,2,3,5,1795760263533,0,'http://127.0.0.1:9/',NULL,'error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)');
CREATE TABLE client_token (
    key    text    not null primary key,
    digest text    not null,
    answer text    not null,
    used   integer not null
) strict, without rowid;
CREATE TABLE delivery (
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
INSERT INTO "delivery" VALUES(1,2,1,'RETRYING',1795760279510,5,NULL);
INSERT INTO "delivery" VALUES(1,2,2,'RETRYING',1795760279521,5,NULL);
INSERT INTO "delivery" VALUES(1,2,3,'RETRYING',1795760279534,5,NULL);
CREATE TABLE env (
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
INSERT INTO "env" VALUES(1698711317548,NULL,NULL,'old','','ap-guangzhou-1',1,'[{"name":"S5.SMALL1","cpu":1,"mem_gb":1,"slots":1}]',0,1795760248550,'[[5,2,1,2]]');
CREATE TABLE env_spec (
    env  integer not null primary key,
    spec text    not null
) strict;
INSERT INTO "env_spec" VALUES(1698711317548,'{"instance_types":[{"name":"S5.SMALL1","cpu":1,"mem_gb":1,"slots":1}],"notifications":[{"topic_name":"happened","topic":5,"events":[{"name":"COMPUTE_NODE_RUNNING","vars":[]},{"name":"COMPUTE_ENV_CREATED","vars":[]}]}],"tags":[],"zone":"ap-guangzhou-1","recreate":true,"max_recreations":7,"document":"{\"ComputeEnv\":{\"EnvName\":\"old\",\"DesiredComputeNodeCount\":1,\"EnvData\":{\"InstanceType\":\"S5.SMALL1\"},\"Notifications\":[{\"TopicName\":\"happened\",\"EventConfigs\":[{\"EventName\":\"COMPUTE_NODE_RUNNING\"},{\"EventName\":\"COMPUTE_ENV_CREATED\"}]}]},\"Placement\":{\"Zone\":\"ap-guangzhou-1\"}}"}');
CREATE TABLE env_tag (
    env   integer not null,
    place integer not null,
    key   text    not null,
    value text    not null,
    primary key (env, place)
) strict, without rowid;
CREATE TABLE garbage (
    kind text    not null check (kind in ('JOB', 'ENV', 'TOPIC', 'HEAP', 'KEPT_HEAP', 'SUBSCRIPTION')),
    a    integer not null,
    b    integer not null,
    primary key (kind, a, b)
) strict, without rowid;
CREATE TABLE instance (
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
INSERT INTO "instance" VALUES(1356802125308,0,0,'SUCCEED',NULL,NULL,1,0,1795760248578,1795760248581,1795760248592,1795760248603,0,'',1747320967062,1590715576694,1698711317548);
INSERT INTO "instance" VALUES(1356802125308,0,1,'SUCCEED',NULL,NULL,1,0,1795760248578,1795760248603,1795760248610,1795760248611,0,'',1747320967062,1590715576694,1698711317548);
INSERT INTO "instance" VALUES(2208494857934,0,0,'FAILED',NULL,NULL,1,0,1795760248659,1795760248659,1795760248665,1795760248675,3,'ExitCode: 3',1747320967062,1590715576694,1698711317548);
INSERT INTO "instance" VALUES(2578687028532,0,0,'RUNNING','run',NULL,1,0,1795760248702,1795760248702,1795760248710,NULL,NULL,'',1747320967062,1590715576694,1698711317548);
CREATE TABLE job (
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
INSERT INTO "job" VALUES(1356802125308,'done','ap-guangzhou-1','SUCCEED',1795760248578,1795760248611,'',0,1,0,0,0,0,0,1,0,0,0,0,0,0,0,2,0,0,NULL,'[[5,4,3,6]]');
INSERT INTO "job" VALUES(2208494857934,'bad','ap-guangzhou-1','FAILED',1795760248659,1795760248675,'task fail: 1 of 1 instances failed',0,1,0,0,0,0,0,0,1,0,0,0,0,0,0,0,1,0,NULL,'[[5,1,7,7]]');
INSERT INTO "job" VALUES(2578687028532,'long','ap-guangzhou-1','RUNNING',1795760248702,NULL,'',0,1,0,1,0,0,1,0,0,0,0,2,0,0,1,0,0,0,NULL,'[[5,1,8,8]]');
CREATE TABLE job_spec (
    job  integer not null primary key,
    spec text    not null
) strict;
INSERT INTO "job_spec" VALUES(1356802125308,'{"name":"done","description":"","priority":0,"tasks":[{"name":"say","command":"echo said","env":"env-lodkuxbg","own":null,"restart_node":false,"instances":2,"retries":0,"timeout_s":86400,"max_concurrent":null,"env_vars":[["A","b"]]}],"dependences":[],"depend_on":"PRE_TASK_SUCCEED","if_not_created":"FAILED","notifications":[{"topic_name":"happened","topic":5,"events":[{"name":"JOB_RUNNING","vars":[]},{"name":"JOB_SUCCEED","vars":[]},{"name":"TASK_INSTANCE_SUCCEED","vars":[]}]}],"tags":[],"zone":"ap-guangzhou-1","document":"{\"Job\":{\"JobName\":\"done\",\"Tasks\":[{\"TaskName\":\"say\",\"TaskInstanceNum\":2,\"EnvId\":\"env-lodkuxbg\",\"Application\":{\"DeliveryForm\":\"LOCAL\",\"Command\":\"echo said\"},\"EnvVars\":[{\"Name\":\"A\",\"Value\":\"b\"}]}],\"Notifications\":[{\"TopicName\":\"happened\",\"EventConfigs\":[{\"EventName\":\"JOB_RUNNING\"},{\"EventName\":\"JOB_SUCCEED\"},{\"EventName\":\"TASK_INSTANCE_SUCCEED\"}]}]},\"Placement\":{\"Zone\":\"ap-guangzhou-1\"}}"}');
INSERT INTO "job_spec" VALUES(2208494857934,'{"name":"bad","description":"","priority":0,"tasks":[{"name":"fail","command":"exit 3","env":"env-lodkuxbg","own":null,"restart_node":false,"instances":1,"retries":0,"timeout_s":86400,"max_concurrent":null,"env_vars":[]}],"dependences":[],"depend_on":"PRE_TASK_SUCCEED","if_not_created":"FAILED","notifications":[{"topic_name":"happened","topic":5,"events":[{"name":"JOB_FAILED","vars":[]}]}],"tags":[],"zone":"ap-guangzhou-1","document":"{\"Job\":{\"JobName\":\"bad\",\"Tasks\":[{\"TaskName\":\"fail\",\"TaskInstanceNum\":1,\"EnvId\":\"env-lodkuxbg\",\"Application\":{\"DeliveryForm\":\"LOCAL\",\"Command\":\"exit 3\"}}],\"Notifications\":[{\"TopicName\":\"happened\",\"EventConfigs\":[{\"EventName\":\"JOB_FAILED\"}]}]},\"Placement\":{\"Zone\":\"ap-guangzhou-1\"}}"}');
INSERT INTO "job_spec" VALUES(2578687028532,'{"name":"long","description":"","priority":0,"tasks":[{"name":"first","command":"exec sleep 3600","env":"env-lodkuxbg","own":null,"restart_node":false,"instances":1,"retries":0,"timeout_s":86400,"max_concurrent":null,"env_vars":[]},{"name":"second","command":"true","env":"env-lodkuxbg","own":null,"restart_node":false,"instances":2,"retries":0,"timeout_s":86400,"max_concurrent":null,"env_vars":[]}],"dependences":[[0,1]],"depend_on":"PRE_TASK_SUCCEED","if_not_created":"FAILED","notifications":[{"topic_name":"happened","topic":5,"events":[{"name":"JOB_RUNNING","vars":[]},{"name":"JOB_FAILED","vars":[]},{"name":"JOB_SUCCEED","vars":[]}]}],"tags":[],"zone":"ap-guangzhou-1","document":"{\"Job\":{\"JobName\":\"long\",\"Tasks\":[{\"TaskName\":\"first\",\"TaskInstanceNum\":1,\"EnvId\":\"env-lodkuxbg\",\"Application\":{\"DeliveryForm\":\"LOCAL\",\"Command\":\"exec sleep 3600\"}},{\"TaskName\":\"second\",\"TaskInstanceNum\":2,\"EnvId\":\"env-lodkuxbg\",\"Application\":{\"DeliveryForm\":\"LOCAL\",\"Command\":\"true\"}}],\"Dependences\":[{\"StartTask\":\"first\",\"EndTask\":\"second\"}],\"Notifications\":[{\"TopicName\":\"happened\",\"EventConfigs\":[{\"EventName\":\"JOB_RUNNING\"},{\"EventName\":\"JOB_FAILED\"},{\"EventName\":\"JOB_SUCCEED\"}]}]},\"Placement\":{\"Zone\":\"ap-guangzhou-1\"}}"}');
CREATE TABLE job_tag (
    job   integer not null,
    place integer not null,
    key   text    not null,
    value text    not null,
    primary key (job, place)
) strict, without rowid;
CREATE TABLE kept_message (
    heap     integer not null,
    seq      integer not null check (seq > 0),
    body     text    not null,
    enqueued integer not null,
    deleted  integer not null check (deleted >= enqueued),
    origin   text,
    primary key (heap, seq)
) strict, without rowid;
CREATE TABLE ledger (
    id          integer not null primary key check (id = 1),
    version     integer not null check (version >= 0),
    now         integer not null,
    next_stream integer not null check (next_stream >= 0)
) strict;
INSERT INTO "ledger" VALUES(1,52,1795760263535,6);
CREATE TABLE log_tail (
    job     integer not null,
    task    integer not null,
    idx     integer not null,
    attempt integer not null,
    stdout  blob    not null,
    stderr  blob    not null,
    primary key (job, task, idx)
) strict, without rowid;
INSERT INTO "log_tail" VALUES(1356802125308,0,0,1,X'736169640A',X'');
INSERT INTO "log_tail" VALUES(1356802125308,0,1,1,X'736169640A',X'');
CREATE TABLE machine (
    id         integer not null primary key check (id >= 0),
    credential text    not null,
    facts      text    not null,
    joined     integer not null,
    seen       integer not null check (seen >= joined)
) strict;
CREATE TABLE node (
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
INSERT INTO "node" VALUES(1747320967062,1590715576694,0,1698711317548,'RUNNING',NULL,NULL,'S5.SMALL1',1,1,1,1795760248550,1795760248562,1795760248581,0,'0.1.0','["127.0.0.1"]','cpu (cgroup v1), memory (cgroup v1), pids (cgroup v1); what a run leaves behind is found by its cgroup (v2)','');
CREATE TABLE queue (
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
INSERT INTO "queue" VALUES(2,1563923918111,'inbox','inbox',100000000,0,30,1048576,345600,3600,0,0,NULL,NULL,NULL,2,4,3,3,0,0,NULL,'[]',1795760229349,1795760229349);
INSERT INTO "queue" VALUES(4,1183328379677,'events','events',100000000,0,30,1048576,345600,0,0,0,NULL,NULL,NULL,4,9,8,NULL,0,0,NULL,'[]',1795760229360,1795760229360);
CREATE TABLE queue_message (
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
INSERT INTO "queue_message" VALUES(2,1,'news 1',1795760248496,1795760278533,1795760248533,1,3195849,NULL);
INSERT INTO "queue_message" VALUES(2,2,'news 2',1795760248510,1795760248510,NULL,0,0,NULL);
INSERT INTO "queue_message" VALUES(2,3,'news 3',1795760248522,1795760248522,NULL,0,0,NULL);
INSERT INTO "queue_message" VALUES(4,1,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"EnvId":"env-lodkuxbg","EnvName":"old","EnvType":"MANAGED","DesiredComputeNodeCount":1,"CreateTime":"2026-11-27T06:17:28Z"},"EventName":"COMPUTE_ENV_CREATED","EventVars":[],"EventId":"evt-01M8DTDNQ63Q9KDS7Y8CBF8K9R","Sequence":1}]}',1795760248551,1795760248551,NULL,0,0,NULL);
INSERT INTO "queue_message" VALUES(4,2,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"ComputeNodeId":"node-maphsexi","EnvId":"env-lodkuxbg","ComputeNodeState":"RUNNING","Mem":1,"ResourceCreatedTime":"2026-11-27T06:17:28Z","EnvName":"old","ComputeNodeInstanceId":"ins-karized2","Cpu":1},"EventName":"COMPUTE_NODE_RUNNING","EventVars":[],"EventId":"evt-01M8DTDNR54B1YQ2014SQP472F","Sequence":2}]}',1795760248590,1795760248590,NULL,0,0,NULL);
INSERT INTO "queue_message" VALUES(4,3,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-hbb0yc58","JobName":"done","JobState":"RUNNING","Priority":0,"CreateTime":"2026-11-27T06:17:28Z","TaskMetrics":{"SubmittedCount":0,"PendingCount":0,"RunnableCount":0,"StartingCount":0,"RunningCount":1,"SucceedCount":0,"FailedInterruptedCount":0,"FailedCount":0}},"EventName":"JOB_RUNNING","EventVars":[],"EventId":"evt-01M8DTDNRG40CWSDMH0DXYE57G","Sequence":1}]}',1795760248595,1795760248595,NULL,0,0,NULL);
INSERT INTO "queue_message" VALUES(4,4,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-hbb0yc58","JobName":"done","TaskName":"say","TaskInstanceIndex":0,"TaskInstanceState":"SUCCEED","Attempt":1,"ExitCode":0,"ComputeNodeId":"node-maphsexi","ComputeNodeInstanceId":"ins-karized2","EnvId":"env-lodkuxbg","CreateTime":"2026-11-27T06:17:28Z","LaunchTime":"2026-11-27T06:17:28Z","RunningTime":"2026-11-27T06:17:28Z","EndTime":"2026-11-27T06:17:28Z"},"EventName":"TASK_INSTANCE_SUCCEED","EventVars":[],"EventId":"evt-01M8DTDNRV8760VE3304X323KY","Sequence":2}]}',1795760248604,1795760248604,NULL,0,0,NULL);
INSERT INTO "queue_message" VALUES(4,5,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-hbb0yc58","JobName":"done","TaskName":"say","TaskInstanceIndex":1,"TaskInstanceState":"SUCCEED","Attempt":1,"ExitCode":0,"ComputeNodeId":"node-maphsexi","ComputeNodeInstanceId":"ins-karized2","EnvId":"env-lodkuxbg","CreateTime":"2026-11-27T06:17:28Z","LaunchTime":"2026-11-27T06:17:28Z","RunningTime":"2026-11-27T06:17:28Z","EndTime":"2026-11-27T06:17:28Z"},"EventName":"TASK_INSTANCE_SUCCEED","EventVars":[],"EventId":"evt-01M8DTDNS3J9TDV01Q5VTZKRQ3","Sequence":3}]}',1795760248617,1795760248617,NULL,0,0,NULL);
INSERT INTO "queue_message" VALUES(4,6,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-hbb0yc58","JobName":"done","JobState":"SUCCEED","Priority":0,"CreateTime":"2026-11-27T06:17:28Z","EndTime":"2026-11-27T06:17:28Z","TaskMetrics":{"SubmittedCount":0,"PendingCount":0,"RunnableCount":0,"StartingCount":0,"RunningCount":0,"SucceedCount":1,"FailedInterruptedCount":0,"FailedCount":0}},"EventName":"JOB_SUCCEED","EventVars":[],"EventId":"evt-01M8DTDNS32FT6Y6A9XJVF9J4V","Sequence":4}]}',1795760248617,1795760248617,NULL,0,0,NULL);
INSERT INTO "queue_message" VALUES(4,7,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-s6kgtej2","JobName":"bad","JobState":"FAILED","Priority":0,"CreateTime":"2026-11-27T06:17:28Z","EndTime":"2026-11-27T06:17:28Z","StateReason":"task fail: 1 of 1 instances failed","TaskMetrics":{"SubmittedCount":0,"PendingCount":0,"RunnableCount":0,"StartingCount":0,"RunningCount":0,"SucceedCount":0,"FailedInterruptedCount":0,"FailedCount":1}},"EventName":"JOB_FAILED","EventVars":[],"EventId":"evt-01M8DTDNV3CT2W6KE22PWPEKER","Sequence":1}]}',1795760248677,1795760248677,NULL,0,0,NULL);
INSERT INTO "queue_message" VALUES(4,8,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-wwmrodh0","JobName":"long","JobState":"RUNNING","Priority":0,"CreateTime":"2026-11-27T06:17:28Z","TaskMetrics":{"SubmittedCount":0,"PendingCount":1,"RunnableCount":0,"StartingCount":0,"RunningCount":1,"SucceedCount":0,"FailedInterruptedCount":0,"FailedCount":0}},"EventName":"JOB_RUNNING","EventVars":[],"EventId":"evt-01M8DTDNW6F2B52J6GSNNF1A0Z","Sequence":1}]}',1795760248713,1795760248713,NULL,0,0,NULL);
CREATE TABLE queue_tag (
    queue integer not null,
    place integer not null,
    key   text    not null,
    value text    not null,
    primary key (queue, place)
) strict, without rowid;
CREATE TABLE refinery_schema_history(
             version int4 PRIMARY KEY,
             name VARCHAR(255),
             applied_on VARCHAR(255),
             checksum VARCHAR(255));
INSERT INTO "refinery_schema_history" VALUES(1,'first_schema','2026-11-27T06:17:07.362056837Z','8674753276863289205');
CREATE TABLE sample (
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
INSERT INTO "sample" VALUES(2578687028532,0,0,1,0,1795760249778,13,5,'[["vda",2375]]');
INSERT INTO "sample" VALUES(2578687028532,0,0,1,1,1795760259812,0,5,'[["vda",2375]]');
CREATE TABLE subscription (
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
INSERT INTO "subscription" VALUES(1,1,858098447001,'to-inbox','to-inbox','queue',2,'inbox','inbox','EXPONENTIAL_DECAY_RETRY','SIMPLIFIED','[]','[]','{"order":"STRATEGY","posts_per_s":0,"concurrency":0,"retry_after":true,"pause_on_gone":true,"circuit":null,"dead_letters":null,"notifications":[]}','null','{"stage":"active"}','{"failures":0,"last_status":null,"last_error":""}','[]','[]',0,3,1795760229372,1795760229372);
INSERT INTO "subscription" VALUES(1,2,1045669033534,'to-nobody','to-nobody','http',NULL,'http://127.0.0.1:9/','http://127.0.0.1:9/','EXPONENTIAL_DECAY_RETRY','JSON','[]','[]','{"order":"STRATEGY","posts_per_s":0,"concurrency":0,"retry_after":true,"pause_on_gone":true,"circuit":null,"dead_letters":null,"notifications":[]}','{"current":[48,49,50,51,52,53,54,55,56,57,97,98,99,100,101,102,48,49,50,51,52,53,54,55],"previous":null}','{"stage":"active"}','{"failures":15,"last_status":null,"last_error":"error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)"}','[]','[]',0,0,1795760248482,1795760248482);
INSERT INTO "subscription" VALUES(5,1,406348224618,'to-events','to-events','queue',4,'events','events','EXPONENTIAL_DECAY_RETRY','SIMPLIFIED','[]','[]','{"order":"STRATEGY","posts_per_s":0,"concurrency":0,"retry_after":true,"pause_on_gone":true,"circuit":null,"dead_letters":null,"notifications":[]}','null','{"stage":"active"}','{"failures":0,"last_status":null,"last_error":""}','[]','[]',0,8,1795760229400,1795760229400);
CREATE TABLE task (
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
INSERT INTO "task" VALUES(1356802125308,0,'SUCCEED',1795760248578,1795760248611,'',1,0,0,0,0,0,2,0,0,'[]',NULL,NULL,NULL,0);
INSERT INTO "task" VALUES(2208494857934,0,'FAILED',1795760248659,1795760248675,'1 of 1 instances failed',1,0,0,0,0,0,0,1,0,'[]',NULL,NULL,NULL,0);
INSERT INTO "task" VALUES(2578687028532,0,'RUNNING',1795760248702,NULL,'',1,0,0,0,0,1,0,0,0,'[]',NULL,NULL,NULL,0);
INSERT INTO "task" VALUES(2578687028532,1,'PENDING',1795760248702,NULL,'',0,0,2,0,0,0,0,0,0,'[[0,2]]',NULL,NULL,NULL,0);
CREATE TABLE template (
    id          integer not null primary key check (id >= 0),
    created     integer not null,
    name        text    not null,
    spec        text    not null
) strict;
CREATE TABLE template_tag (
    template integer not null,
    place    integer not null,
    key      text    not null,
    value    text    not null,
    primary key (template, place)
) strict, without rowid;
CREATE TABLE topic (
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
INSERT INTO "topic" VALUES(1,366674139227,'news','news','tags',65536,86400,0,'[]',4,3,1795760229337,1795760229337);
INSERT INTO "topic" VALUES(5,865339154896,'happened','happened','tags',65536,86400,0,'[]',9,2,1795760229390,1795760229390);
CREATE TABLE topic_message (
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
INSERT INTO "topic_message" VALUES(1,1,1795760248495,'news 1','[]','',0,NULL);
INSERT INTO "topic_message" VALUES(1,2,1795760248508,'news 2','[]','',0,NULL);
INSERT INTO "topic_message" VALUES(1,3,1795760248521,'news 3','[]','',0,NULL);
INSERT INTO "topic_message" VALUES(5,1,1795760248550,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"EnvId":"env-lodkuxbg","EnvName":"old","EnvType":"MANAGED","DesiredComputeNodeCount":1,"CreateTime":"2026-11-27T06:17:28Z"},"EventName":"COMPUTE_ENV_CREATED","EventVars":[],"EventId":"evt-01M8DTDNQ63Q9KDS7Y8CBF8K9R","Sequence":1}]}','["ENV","CREATED"]','',0,'env-lodkuxbg');
INSERT INTO "topic_message" VALUES(5,2,1795760248581,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"ComputeNodeId":"node-maphsexi","EnvId":"env-lodkuxbg","ComputeNodeState":"RUNNING","Mem":1,"ResourceCreatedTime":"2026-11-27T06:17:28Z","EnvName":"old","ComputeNodeInstanceId":"ins-karized2","Cpu":1},"EventName":"COMPUTE_NODE_RUNNING","EventVars":[],"EventId":"evt-01M8DTDNR54B1YQ2014SQP472F","Sequence":2}]}','["NODE","RUNNING"]','',1,'env-lodkuxbg');
INSERT INTO "topic_message" VALUES(5,3,1795760248592,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-hbb0yc58","JobName":"done","JobState":"RUNNING","Priority":0,"CreateTime":"2026-11-27T06:17:28Z","TaskMetrics":{"SubmittedCount":0,"PendingCount":0,"RunnableCount":0,"StartingCount":0,"RunningCount":1,"SucceedCount":0,"FailedInterruptedCount":0,"FailedCount":0}},"EventName":"JOB_RUNNING","EventVars":[],"EventId":"evt-01M8DTDNRG40CWSDMH0DXYE57G","Sequence":1}]}','["JOB","RUNNING"]','',0,'job-hbb0yc58');
INSERT INTO "topic_message" VALUES(5,4,1795760248603,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-hbb0yc58","JobName":"done","TaskName":"say","TaskInstanceIndex":0,"TaskInstanceState":"SUCCEED","Attempt":1,"ExitCode":0,"ComputeNodeId":"node-maphsexi","ComputeNodeInstanceId":"ins-karized2","EnvId":"env-lodkuxbg","CreateTime":"2026-11-27T06:17:28Z","LaunchTime":"2026-11-27T06:17:28Z","RunningTime":"2026-11-27T06:17:28Z","EndTime":"2026-11-27T06:17:28Z"},"EventName":"TASK_INSTANCE_SUCCEED","EventVars":[],"EventId":"evt-01M8DTDNRV8760VE3304X323KY","Sequence":2}]}','["INSTANCE","SUCCEED"]','',3,'job-hbb0yc58');
INSERT INTO "topic_message" VALUES(5,5,1795760248611,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-hbb0yc58","JobName":"done","TaskName":"say","TaskInstanceIndex":1,"TaskInstanceState":"SUCCEED","Attempt":1,"ExitCode":0,"ComputeNodeId":"node-maphsexi","ComputeNodeInstanceId":"ins-karized2","EnvId":"env-lodkuxbg","CreateTime":"2026-11-27T06:17:28Z","LaunchTime":"2026-11-27T06:17:28Z","RunningTime":"2026-11-27T06:17:28Z","EndTime":"2026-11-27T06:17:28Z"},"EventName":"TASK_INSTANCE_SUCCEED","EventVars":[],"EventId":"evt-01M8DTDNS3J9TDV01Q5VTZKRQ3","Sequence":3}]}','["INSTANCE","SUCCEED"]','',4,'job-hbb0yc58');
INSERT INTO "topic_message" VALUES(5,6,1795760248611,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-hbb0yc58","JobName":"done","JobState":"SUCCEED","Priority":0,"CreateTime":"2026-11-27T06:17:28Z","EndTime":"2026-11-27T06:17:28Z","TaskMetrics":{"SubmittedCount":0,"PendingCount":0,"RunnableCount":0,"StartingCount":0,"RunningCount":0,"SucceedCount":1,"FailedInterruptedCount":0,"FailedCount":0}},"EventName":"JOB_SUCCEED","EventVars":[],"EventId":"evt-01M8DTDNS32FT6Y6A9XJVF9J4V","Sequence":4}]}','["JOB","SUCCEED"]','',5,'job-hbb0yc58');
INSERT INTO "topic_message" VALUES(5,7,1795760248675,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-s6kgtej2","JobName":"bad","JobState":"FAILED","Priority":0,"CreateTime":"2026-11-27T06:17:28Z","EndTime":"2026-11-27T06:17:28Z","StateReason":"task fail: 1 of 1 instances failed","TaskMetrics":{"SubmittedCount":0,"PendingCount":0,"RunnableCount":0,"StartingCount":0,"RunningCount":0,"SucceedCount":0,"FailedInterruptedCount":0,"FailedCount":1}},"EventName":"JOB_FAILED","EventVars":[],"EventId":"evt-01M8DTDNV3CT2W6KE22PWPEKER","Sequence":1}]}','["JOB","FAILED"]','',0,'job-s6kgtej2');
INSERT INTO "topic_message" VALUES(5,8,1795760248710,'{"Events":[{"EventVersion":"1.0","EventTime":"2026-11-27T06:17:28Z","Region":"ap-guangzhou","Batch":{"JobId":"job-wwmrodh0","JobName":"long","JobState":"RUNNING","Priority":0,"CreateTime":"2026-11-27T06:17:28Z","TaskMetrics":{"SubmittedCount":0,"PendingCount":1,"RunnableCount":0,"StartingCount":0,"RunningCount":1,"SucceedCount":0,"FailedInterruptedCount":0,"FailedCount":0}},"EventName":"JOB_RUNNING","EventVars":[],"EventId":"evt-01M8DTDNW6F2B52J6GSNNF1A0Z","Sequence":1}]}','["JOB","RUNNING"]','',0,'job-wwmrodh0');
CREATE TABLE topic_tag (
    topic integer not null,
    place integer not null,
    key   text    not null,
    value text    not null,
    primary key (topic, place)
) strict, without rowid;
CREATE INDEX queue_message_visible on queue_message (heap, visible, seq);
CREATE INDEX kept_message_enqueued on kept_message (heap, enqueued, seq);
CREATE INDEX delivery_dead on delivery (dead_since) where state = 'DEAD';
CREATE INDEX attempt_at on attempt (at);
CREATE INDEX template_newest on template (created, id);
CREATE INDEX env_newest on env (created, id) where owner_job is null;
CREATE INDEX env_owner on env (owner_job) where owner_job is not null;
CREATE INDEX node_env on node (env, id);
CREATE INDEX activity_newest on activity (env, started, id);
CREATE UNIQUE INDEX activity_node on activity (env, node, kind);
CREATE INDEX activity_ended on activity (ended) where ended is not null;
CREATE INDEX job_newest on job (created, id);
CREATE INDEX job_unfinished on job (id) where state not in ('SUCCEED', 'FAILED');
CREATE INDEX job_ended on job (ended) where ended is not null;
CREATE INDEX sample_at on sample (at);
COMMIT;
