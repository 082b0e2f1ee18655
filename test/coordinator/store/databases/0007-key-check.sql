PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
INSERT INTO kysely_migration VALUES('0001-initial','2026-11-27T08:48:02.675Z');
INSERT INTO kysely_migration VALUES('0002-conversation','2026-11-27T08:48:02.756Z');
INSERT INTO kysely_migration VALUES('0003-notifications','2026-11-27T08:48:02.833Z');
INSERT INTO kysely_migration VALUES('0004-budgets','2026-11-27T08:48:02.855Z');
INSERT INTO kysely_migration VALUES('0005-told-turns','2026-11-27T08:48:02.872Z');
INSERT INTO kysely_migration VALUES('0006-unwell-runners','2026-11-27T08:48:02.907Z');
INSERT INTO kysely_migration VALUES('0007-key-check','2026-11-27T08:48:02.921Z');
CREATE TABLE IF NOT EXISTS "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
INSERT INTO kysely_migration_lock VALUES('migration_lock',0);
CREATE TABLE IF NOT EXISTS "users" ("id" text primary key, "identity" text not null unique, "name" text not null, "avatar_url" text, "admin" integer not null, "github_token" text, "last_released_at" bigint not null, "created_at" bigint not null, "default_budget_usd" real);
INSERT INTO users VALUES('usr_ada','test:ada','ada',NULL,0,NULL,1795769284327,1795769283140,2.5);
INSERT INTO users VALUES('d9ab327d-7b42-4772-b0ae-222791cd1fa2','local:owner','owner',NULL,1,NULL,0,1795769284389,NULL);
INSERT INTO users VALUES('896f28e3-807b-4353-86a7-93de976924ab','github:42','grace',NULL,0,'v1.5d2eaeff.JeTDmHweDfj6t9A9.RWVOVpmf48NS26qcyhah.WWTPKbz2a_vzt5lYkAJ4zw',0,1795769284395,NULL);
CREATE TABLE IF NOT EXISTS "sessions" ("id" text primary key, "user_id" text references "users" ("id") on delete cascade, "data" text not null, "expires_at" bigint not null);
INSERT INTO sessions VALUES('session_1','usr_ada','{"cookie":{"originalMaxAge":1209600000,"expires":"2099-01-01T00:00:00.000Z","httpOnly":true,"sameSite":"lax","path":"/","secure":false},"passport":{"user":"usr_ada"},"device":{"name":"Chrome on Android","signedInAt":"2026-11-21T09:00:00.000Z"}}',4070908800000);
CREATE TABLE IF NOT EXISTS "api_tokens" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "name" text not null, "token_hash" text not null unique, "created_at" bigint not null, "last_used_at" bigint);
INSERT INTO api_tokens VALUES('60e6e84b-c482-4033-a765-27e301b4a0ac','d9ab327d-7b42-4772-b0ae-222791cd1fa2','The machine that runs this server','fd1b3ded5fb61e1e4b8e0e7e9e2f7574fe1656d9d682d958f91553453563cb4c',1795769284414,NULL);
CREATE TABLE IF NOT EXISTS "sign_in_links" ("code_hash" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "expires_at" bigint not null);
INSERT INTO sign_in_links VALUES('bb3aae51de1dabf303ecd262b19e552c5f2055c59ad480ea3632c0955ce7dafc','d9ab327d-7b42-4772-b0ae-222791cd1fa2',1795769884425);
CREATE TABLE IF NOT EXISTS "credentials" ("user_id" text not null references "users" ("id") on delete cascade, "host" text not null, "username" text, "token" text not null, "created_at" bigint not null, constraint "credentials_pk" primary key ("user_id", "host"));
INSERT INTO credentials VALUES('usr_ada','git.example.com','ada','v1.5d2eaeff.nHBJcGPzdVkz6IXv.oev_vfbJeqDThPME7vY1IYg.8c0MqW40VSt7a8RgTGpPRQ',1795769284433);
CREATE TABLE IF NOT EXISTS "projects" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "repo_url" text not null, "name" text not null, "created_at" bigint not null, constraint "projects_once" unique ("user_id", "repo_url"));
INSERT INTO projects VALUES('e62b9064-59a7-4d38-82f4-d6eb9491a09b','usr_ada','https://github.com/acme/engine.git','Engine',1795769284435);
CREATE TABLE IF NOT EXISTS "tasks" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "client_id" text, "repo_url" text not null, "base_branch" text, "branch" text not null, "prompt" text not null, "model" text not null, "budget_usd" double precision not null, "demo" integer not null, "status" text not null, "reason" text, "error" text, "turn" integer not null, "attempt" integer not null, "last_seq" integer not null, "released_at" bigint, "cancel_requested_at" bigint, "pull_request_url" text, "input_tokens" bigint default 0 not null, "output_tokens" bigint default 0 not null, "cache_read_tokens" bigint default 0 not null, "cache_write_tokens" bigint default 0 not null, "cost_usd" double precision default 0 not null, "created_at" bigint not null, "started_at" bigint, "completed_at" bigint, "message_id" text, "diff_files" integer, "diff_insertions" integer, "diff_deletions" integer, "told_turn" integer default 0 not null, constraint "tasks_sent_once" unique ("user_id", "client_id"));
INSERT INTO tasks VALUES('tsk_bgpotm2pxsdht3ed','usr_ada','client-1','https://github.com/acme/engine',NULL,'errand/tsk_bgpotm2pxsdht3ed/add-a-french-greeting','Add a French greeting','claude-opus-5-5',5.0,1,'completed','done',NULL,1,1,14,NULL,NULL,NULL,120,30,900,40,0.25,1795769283169,1795769283317,1795769283748,'1c5fa850-1302-43e4-b991-6ea4f9ac9f02',1,3,1,0);
INSERT INTO tasks VALUES('tsk_waedz5hrcx5g74bm','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_waedz5hrcx5g74bm/fix-the-failing-test','Fix the failing test','claude-opus-5-5',5.0,1,'pending','host_disk_full',NULL,1,1,4,1795769283828,NULL,NULL,0,0,0,0,0.0,1795769283797,1795769283892,NULL,'85d22792-825d-4d84-9cb8-1456abe57eea',NULL,NULL,NULL,0);
INSERT INTO tasks VALUES('tsk_jlpyodau7yxpgakw','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_jlpyodau7yxpgakw/look-around','Look around','claude-opus-5-5',5.0,1,'running',NULL,NULL,1,1,5,1795769284044,NULL,NULL,0,0,0,0,0.0,1795769284010,1795769284136,NULL,'05c7ebcf-dcfe-4163-93d9-a3eae6dd0038',NULL,NULL,NULL,0);
INSERT INTO tasks VALUES('tsk_zcqzttdft3vh27dw','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_zcqzttdft3vh27dw/never-mind','Never mind','claude-opus-5-5',5.0,1,'cancelled','cancelled_by_user',NULL,1,0,3,NULL,NULL,NULL,0,0,0,0,0.0,1795769284253,NULL,1795769284280,'cfef05f4-3917-44c7-bb2e-c07b1aac98b4',NULL,NULL,NULL,0);
INSERT INTO tasks VALUES('tsk_vgrzlov2bu433vgp','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_vgrzlov2bu433vgp/document-its-use','Document its use','claude-opus-5-5',5.0,1,'pending','no_runner',NULL,1,0,2,1795769284327,NULL,NULL,0,0,0,0,0.0,1795769284321,NULL,NULL,'81b37e18-f71a-41c0-ab8a-2ae735189545',NULL,NULL,NULL,0);
CREATE TABLE IF NOT EXISTS "attempts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "turn" integer not null, "runner_id" text not null, "runner_name" text not null, "last_n" integer not null, "lease_until" bigint not null, "started_at" bigint not null, "ended_at" bigint, "outcome" text, "reason" text, constraint "attempts_pk" primary key ("task_id", "attempt"));
INSERT INTO attempts VALUES('tsk_bgpotm2pxsdht3ed',1,1,'runner-a','A',10,1795769313317,1795769283317,1795769283748,'completed','done');
INSERT INTO attempts VALUES('tsk_waedz5hrcx5g74bm',1,1,'runner-a','A',1,1795769313892,1795769283892,1795769283978,'interrupted','host_disk_full');
INSERT INTO attempts VALUES('tsk_jlpyodau7yxpgakw',1,1,'runner-a','A',1,1795769314136,1795769284136,NULL,NULL,NULL);
CREATE TABLE events (
      id integer primary key,
      task_id text not null references tasks (id) on delete cascade,
      seq integer not null,
      attempt integer not null,
      n integer,
      type text not null,
      at bigint not null,
      data text not null,
      unique (task_id, seq),
      unique (task_id, attempt, n)
    );
INSERT INTO events VALUES(1,'tsk_bgpotm2pxsdht3ed',1,0,NULL,'task.created',1795769283169,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(2,'tsk_bgpotm2pxsdht3ed',2,0,NULL,'message.received',1795769283169,'{"messageId":"1c5fa850-1302-43e4-b991-6ea4f9ac9f02","turn":1,"text":"Add a French greeting","mode":null,"clientId":"client-1"}');
INSERT INTO events VALUES(3,'tsk_bgpotm2pxsdht3ed',3,1,NULL,'attempt.started',1795769283317,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(4,'tsk_bgpotm2pxsdht3ed',4,1,1,'sandbox.ready',1795769283326,'{"node":"v20.20.0"}');
INSERT INTO events VALUES(5,'tsk_bgpotm2pxsdht3ed',5,1,2,'repo.cloned',1795769283338,'{"baseBranch":"main","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","branch":"errand/tsk_bgpotm2pxsdht3ed/add-a-french-greeting","resumed":false}');
INSERT INTO events VALUES(6,'tsk_bgpotm2pxsdht3ed',6,1,3,'turn.started',1795769283346,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(7,'tsk_bgpotm2pxsdht3ed',7,1,4,'text.written',1795769283440,'{"text":"I look at the greetings first."}');
INSERT INTO events VALUES(8,'tsk_bgpotm2pxsdht3ed',8,1,5,'tool.started',1795769283453,'{"callId":"call_1","name":"bash","title":"npm test","input":{"command":"npm test"}}');
INSERT INTO events VALUES(9,'tsk_bgpotm2pxsdht3ed',9,1,6,'tool.ended',1795769283532,'{"callId":"call_1","name":"bash","ok":true,"output":"exit_code: 0\nwall_time: 1.2s\nok","outputBytes":2,"exitCode":0,"durationMs":1200}');
INSERT INTO events VALUES(10,'tsk_bgpotm2pxsdht3ed',10,1,7,'usage.counted',1795769283538,'{"inputTokens":120,"outputTokens":30,"cacheReadTokens":900,"cacheWriteTokens":40,"costUsd":0.25,"model":"claude-opus-5-5","estimated":false}');
INSERT INTO events VALUES(11,'tsk_bgpotm2pxsdht3ed',11,1,8,'branch.pushed',1795769283608,'{"branch":"errand/tsk_bgpotm2pxsdht3ed/add-a-french-greeting","commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}');
INSERT INTO events VALUES(12,'tsk_bgpotm2pxsdht3ed',12,1,9,'turn.ended',1795769283616,'{"turn":1,"outcome":"completed","reason":"done","summary":"A greeting was added.","message":null,"diff":{"files":1,"insertions":3,"deletions":1}}');
INSERT INTO events VALUES(13,'tsk_bgpotm2pxsdht3ed',13,1,10,'attempt.ended',1795769283741,'{"outcome":"completed","reason":"done","message":null}');
INSERT INTO events VALUES(14,'tsk_bgpotm2pxsdht3ed',14,0,NULL,'task.ended',1795769283748,'{"turn":1,"status":"completed","reason":"done","message":null,"branch":"errand/tsk_bgpotm2pxsdht3ed/add-a-french-greeting"}');
INSERT INTO events VALUES(15,'tsk_waedz5hrcx5g74bm',1,0,NULL,'task.created',1795769283797,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(16,'tsk_waedz5hrcx5g74bm',2,0,NULL,'message.received',1795769283797,'{"messageId":"85d22792-825d-4d84-9cb8-1456abe57eea","turn":1,"text":"Fix the failing test","mode":null,"clientId":null}');
INSERT INTO events VALUES(17,'tsk_waedz5hrcx5g74bm',3,1,NULL,'attempt.started',1795769283892,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(18,'tsk_waedz5hrcx5g74bm',4,1,1,'attempt.ended',1795769283924,'{"outcome":"interrupted","reason":"host_disk_full","message":null}');
INSERT INTO events VALUES(19,'tsk_jlpyodau7yxpgakw',1,0,NULL,'task.created',1795769284010,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(20,'tsk_jlpyodau7yxpgakw',2,0,NULL,'message.received',1795769284010,'{"messageId":"05c7ebcf-dcfe-4163-93d9-a3eae6dd0038","turn":1,"text":"Look around","mode":null,"clientId":null}');
INSERT INTO events VALUES(21,'tsk_jlpyodau7yxpgakw',3,1,NULL,'attempt.started',1795769284136,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(22,'tsk_jlpyodau7yxpgakw',4,1,1,'turn.started',1795769284149,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(23,'tsk_jlpyodau7yxpgakw',5,0,NULL,'message.received',1795769284218,'{"messageId":"23694d81-ced0-437d-a377-f488170f73e2","turn":1,"text":"Keep it short.","mode":"steer","clientId":"client-2"}');
INSERT INTO events VALUES(24,'tsk_zcqzttdft3vh27dw',1,0,NULL,'task.created',1795769284253,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(25,'tsk_zcqzttdft3vh27dw',2,0,NULL,'message.received',1795769284253,'{"messageId":"cfef05f4-3917-44c7-bb2e-c07b1aac98b4","turn":1,"text":"Never mind","mode":null,"clientId":null}');
INSERT INTO events VALUES(26,'tsk_zcqzttdft3vh27dw',3,0,NULL,'task.ended',1795769284280,'{"turn":1,"status":"cancelled","reason":"cancelled_by_user","message":null,"branch":null}');
INSERT INTO events VALUES(27,'tsk_vgrzlov2bu433vgp',1,0,NULL,'task.created',1795769284321,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(28,'tsk_vgrzlov2bu433vgp',2,0,NULL,'message.received',1795769284321,'{"messageId":"81b37e18-f71a-41c0-ab8a-2ae735189545","turn":1,"text":"Document its use","mode":null,"clientId":null}');
CREATE TABLE IF NOT EXISTS "artifacts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "kind" text not null, "bytes" bigint not null, "created_at" bigint not null, constraint "artifacts_pk" primary key ("task_id", "attempt", "kind"));
INSERT INTO artifacts VALUES('tsk_bgpotm2pxsdht3ed',1,'transcript',3,1795769283740);
CREATE TABLE IF NOT EXISTS "runners" ("id" text primary key, "name" text not null, "slots" integer not null, "seen_at" bigint not null, "unwell_reason" text, "unwell_message" text);
INSERT INTO runners VALUES('runner-a','A',1,1,NULL,NULL);
INSERT INTO runners VALUES('runner-b','B',2,1,'image_missing','No such image');
CREATE TABLE IF NOT EXISTS "inbox" ("id" text primary key, "task_id" text not null references "tasks" ("id") on delete cascade, "client_id" text, "seq" integer not null, "text" text not null, "mode" text, "state" text not null, "turn" integer, "created_at" bigint not null, "delivered_at" bigint, constraint "inbox_sent_once" unique ("task_id", "client_id"), constraint "inbox_in_order" unique ("task_id", "seq"));
INSERT INTO inbox VALUES('1c5fa850-1302-43e4-b991-6ea4f9ac9f02','tsk_bgpotm2pxsdht3ed','client-1',2,'Add a French greeting',NULL,'delivered',1,1795769283169,1795769283317);
INSERT INTO inbox VALUES('85d22792-825d-4d84-9cb8-1456abe57eea','tsk_waedz5hrcx5g74bm',NULL,2,'Fix the failing test',NULL,'delivered',1,1795769283797,1795769283892);
INSERT INTO inbox VALUES('05c7ebcf-dcfe-4163-93d9-a3eae6dd0038','tsk_jlpyodau7yxpgakw',NULL,2,'Look around',NULL,'delivered',1,1795769284010,1795769284136);
INSERT INTO inbox VALUES('23694d81-ced0-437d-a377-f488170f73e2','tsk_jlpyodau7yxpgakw','client-2',5,'Keep it short.','steer','waiting',NULL,1795769284218,NULL);
INSERT INTO inbox VALUES('cfef05f4-3917-44c7-bb2e-c07b1aac98b4','tsk_zcqzttdft3vh27dw',NULL,2,'Never mind',NULL,'withdrawn',NULL,1795769284253,NULL);
INSERT INTO inbox VALUES('81b37e18-f71a-41c0-ab8a-2ae735189545','tsk_vgrzlov2bu433vgp',NULL,2,'Document its use',NULL,'waiting',NULL,1795769284321,NULL);
CREATE TABLE IF NOT EXISTS "push_subscriptions" ("endpoint" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "device_id" text not null, "p256dh" text not null, "auth" text not null, "created_at" bigint not null);
INSERT INTO push_subscriptions VALUES('https://push.example.com/1','usr_ada','device_1','BPx','abc',1795769284474);
CREATE TABLE IF NOT EXISTS "notification_settings" ("user_id" text primary key references "users" ("id") on delete cascade, "on_done" integer not null, "on_failed" integer not null, "on_attention" integer not null, "webhook_url" text);
INSERT INTO notification_settings VALUES('usr_ada',1,0,1,NULL);
CREATE TABLE IF NOT EXISTS "key_check" ("sealed" text not null);
INSERT INTO key_check VALUES('v1.5d2eaeff.AFlOVoXqn9CW8XiO.Iiw4zkXX.BxlDEcnmpHr5uC75g98QKA');
CREATE INDEX "tasks_of_user" on "tasks" ("user_id", "created_at", "id");
CREATE INDEX tasks_under_way on tasks (status) where status in ('pending', 'running');
CREATE INDEX attempts_open on attempts (lease_until) where ended_at is null;
CREATE VIEW messages as
    select task_id, seq, at as created_at,
           case type when 'message.received' then 'user' else 'assistant' end as role,
           json_extract(data, '$.text') as content
    from events where type in ('message.received', 'text.written');
CREATE VIEW tool_calls as
    select s.task_id, s.attempt, json_extract(s.data, '$.callId') as id, json_extract(s.data, '$.name') as name,
           json_extract(s.data, '$.input') as input, json_extract(e.data, '$.output') as output,
           json_extract(e.data, '$.ok') as ok, json_extract(e.data, '$.durationMs') as duration_ms,
           s.at as started_at, e.at as ended_at
    from events s
    left join events e on e.task_id = s.task_id and e.attempt = s.attempt and e.type = 'tool.ended'
      and json_extract(e.data, '$.callId') = json_extract(s.data, '$.callId')
    where s.type = 'tool.started';
CREATE INDEX inbox_waiting on inbox (task_id, seq) where state = 'waiting';
CREATE INDEX "push_subscriptions_of_user" on "push_subscriptions" ("user_id");
CREATE INDEX tasks_untold on tasks (id) where told_turn < turn and completed_at is not null;
COMMIT;
