PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
INSERT INTO kysely_migration VALUES('0001-initial','2026-11-27T08:42:41.951Z');
INSERT INTO kysely_migration VALUES('0002-conversation','2026-11-27T08:42:42.024Z');
INSERT INTO kysely_migration VALUES('0003-notifications','2026-11-27T08:42:42.079Z');
INSERT INTO kysely_migration VALUES('0004-budgets','2026-11-27T08:42:42.103Z');
CREATE TABLE IF NOT EXISTS "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
INSERT INTO kysely_migration_lock VALUES('migration_lock',0);
CREATE TABLE IF NOT EXISTS "users" ("id" text primary key, "identity" text not null unique, "name" text not null, "avatar_url" text, "admin" integer not null, "github_token" text, "last_released_at" bigint not null, "created_at" bigint not null, "default_budget_usd" real);
INSERT INTO users VALUES('usr_ada','test:ada','ada',NULL,0,NULL,1795768963430,1795768962286,2.5);
INSERT INTO users VALUES('9d76d842-35a0-49a7-b200-3b408f81c402','local:owner','owner',NULL,1,NULL,0,1795768963577,NULL);
INSERT INTO users VALUES('d4a16015-58a7-4388-86f4-f37a616c98ca','github:42','grace',NULL,0,'v1.5d2eaeff.RPZY8jx4vYTNV_d6.Qo5r8FnVobCYYMuhs5kA.SktaBs7yfEcB_R4P6Ecpig',0,1795768963599,NULL);
CREATE TABLE IF NOT EXISTS "sessions" ("id" text primary key, "user_id" text references "users" ("id") on delete cascade, "data" text not null, "expires_at" bigint not null);
INSERT INTO sessions VALUES('session_1','usr_ada','{"cookie":{"originalMaxAge":1209600000,"expires":"2099-01-01T00:00:00.000Z","httpOnly":true,"sameSite":"lax","path":"/","secure":false},"passport":{"user":"usr_ada"},"device":{"name":"Chrome on Android","signedInAt":"2026-11-21T09:00:00.000Z"}}',4070908800000);
CREATE TABLE IF NOT EXISTS "api_tokens" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "name" text not null, "token_hash" text not null unique, "created_at" bigint not null, "last_used_at" bigint);
INSERT INTO api_tokens VALUES('4381cb1c-4f37-4286-93e6-e5f1e34eb35d','9d76d842-35a0-49a7-b200-3b408f81c402','The machine that runs this server','06f69d1af087299fe62d4a4a35e2be28362253dfbc869e2f27ce4f01854f45ff',1795768963663,NULL);
CREATE TABLE IF NOT EXISTS "sign_in_links" ("code_hash" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "expires_at" bigint not null);
INSERT INTO sign_in_links VALUES('651c9e4e183cc49299e68d4daaaba2da4029f0e4f826df581e38a765f73fe60f','9d76d842-35a0-49a7-b200-3b408f81c402',1795769563681);
CREATE TABLE IF NOT EXISTS "credentials" ("user_id" text not null references "users" ("id") on delete cascade, "host" text not null, "username" text, "token" text not null, "created_at" bigint not null, constraint "credentials_pk" primary key ("user_id", "host"));
INSERT INTO credentials VALUES('usr_ada','git.example.com','ada','v1.5d2eaeff.PYYKKsBZ23LZt0VK.rXwIw4nPhq1OD2aE342ECyc.kDOpVai4XPi3LBwgj9YMRA',1795768963696);
CREATE TABLE IF NOT EXISTS "projects" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "repo_url" text not null, "name" text not null, "created_at" bigint not null, constraint "projects_once" unique ("user_id", "repo_url"));
INSERT INTO projects VALUES('7a80d597-1604-4522-9e4f-eabcd0bf5233','usr_ada','https://github.com/acme/engine.git','Engine',1795768963704);
CREATE TABLE IF NOT EXISTS "tasks" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "client_id" text, "repo_url" text not null, "base_branch" text, "branch" text not null, "prompt" text not null, "model" text not null, "budget_usd" double precision not null, "demo" integer not null, "status" text not null, "reason" text, "error" text, "turn" integer not null, "attempt" integer not null, "last_seq" integer not null, "released_at" bigint, "cancel_requested_at" bigint, "pull_request_url" text, "input_tokens" bigint default 0 not null, "output_tokens" bigint default 0 not null, "cache_read_tokens" bigint default 0 not null, "cache_write_tokens" bigint default 0 not null, "cost_usd" double precision default 0 not null, "created_at" bigint not null, "started_at" bigint, "completed_at" bigint, "message_id" text, "diff_files" integer, "diff_insertions" integer, "diff_deletions" integer, constraint "tasks_sent_once" unique ("user_id", "client_id"));
INSERT INTO tasks VALUES('tsk_bidn6d7r7eyopxgz','usr_ada','client-1','https://github.com/acme/engine',NULL,'errand/tsk_bidn6d7r7eyopxgz/add-a-french-greeting','Add a French greeting','claude-opus-5-5',5.0,1,'completed','done',NULL,1,1,14,NULL,NULL,NULL,120,30,900,40,0.25,1795768962291,1795768962378,1795768962781,'ca519a37-28f4-4b9c-ba1d-bea570b57df6',1,3,1);
INSERT INTO tasks VALUES('tsk_pmcbsuvxsp5ldgmg','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_pmcbsuvxsp5ldgmg/fix-the-failing-test','Fix the failing test','claude-opus-5-5',5.0,1,'pending','host_disk_full',NULL,1,1,4,1795768962868,NULL,NULL,0,0,0,0,0.0,1795768962844,1795768962929,NULL,'2dbaf7e1-0371-48e3-bbb7-ec9a5a22bd57',NULL,NULL,NULL);
INSERT INTO tasks VALUES('tsk_roxnmugxtc2n7evo','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_roxnmugxtc2n7evo/look-around','Look around','claude-opus-5-5',5.0,1,'running',NULL,NULL,1,1,5,1795768963049,NULL,NULL,0,0,0,0,0.0,1795768963028,1795768963121,NULL,'cda1104e-3baa-4541-82ab-604be9f82de6',NULL,NULL,NULL);
INSERT INTO tasks VALUES('tsk_p5px273yts5dormc','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_p5px273yts5dormc/never-mind','Never mind','claude-opus-5-5',5.0,1,'cancelled','cancelled_by_user',NULL,1,0,3,NULL,NULL,NULL,0,0,0,0,0.0,1795768963245,NULL,1795768963263,'47e5bf0e-073a-4def-aa66-20d054cef5ab',NULL,NULL,NULL);
INSERT INTO tasks VALUES('tsk_y4b6txm2fzyddgfx','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_y4b6txm2fzyddgfx/document-its-use','Document its use','claude-opus-5-5',5.0,1,'pending','no_runner',NULL,1,0,2,1795768963430,NULL,NULL,0,0,0,0,0.0,1795768963389,NULL,NULL,'e51b56bc-b383-4766-b8ab-0f16f08e8285',NULL,NULL,NULL);
CREATE TABLE IF NOT EXISTS "attempts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "turn" integer not null, "runner_id" text not null, "runner_name" text not null, "last_n" integer not null, "lease_until" bigint not null, "started_at" bigint not null, "ended_at" bigint, "outcome" text, "reason" text, constraint "attempts_pk" primary key ("task_id", "attempt"));
INSERT INTO attempts VALUES('tsk_bidn6d7r7eyopxgz',1,1,'runner-a','A',10,1795768992378,1795768962378,1795768962781,'completed','done');
INSERT INTO attempts VALUES('tsk_pmcbsuvxsp5ldgmg',1,1,'runner-a','A',1,1795768992929,1795768962929,1795768963004,'interrupted','host_disk_full');
INSERT INTO attempts VALUES('tsk_roxnmugxtc2n7evo',1,1,'runner-a','A',1,1795768993121,1795768963121,NULL,NULL,NULL);
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
INSERT INTO events VALUES(1,'tsk_bidn6d7r7eyopxgz',1,0,NULL,'task.created',1795768962291,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(2,'tsk_bidn6d7r7eyopxgz',2,0,NULL,'message.received',1795768962291,'{"messageId":"ca519a37-28f4-4b9c-ba1d-bea570b57df6","turn":1,"text":"Add a French greeting","mode":null,"clientId":"client-1"}');
INSERT INTO events VALUES(3,'tsk_bidn6d7r7eyopxgz',3,1,NULL,'attempt.started',1795768962378,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(4,'tsk_bidn6d7r7eyopxgz',4,1,1,'sandbox.ready',1795768962392,'{"node":"v20.20.0"}');
INSERT INTO events VALUES(5,'tsk_bidn6d7r7eyopxgz',5,1,2,'repo.cloned',1795768962398,'{"baseBranch":"main","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","branch":"errand/tsk_bidn6d7r7eyopxgz/add-a-french-greeting","resumed":false}');
INSERT INTO events VALUES(6,'tsk_bidn6d7r7eyopxgz',6,1,3,'turn.started',1795768962399,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(7,'tsk_bidn6d7r7eyopxgz',7,1,4,'text.written',1795768962408,'{"text":"I look at the greetings first."}');
INSERT INTO events VALUES(8,'tsk_bidn6d7r7eyopxgz',8,1,5,'tool.started',1795768962460,'{"callId":"call_1","name":"bash","title":"npm test","input":{"command":"npm test"}}');
INSERT INTO events VALUES(9,'tsk_bidn6d7r7eyopxgz',9,1,6,'tool.ended',1795768962488,'{"callId":"call_1","name":"bash","ok":true,"output":"exit_code: 0\nwall_time: 1.2s\nok","outputBytes":2,"exitCode":0,"durationMs":1200}');
INSERT INTO events VALUES(10,'tsk_bidn6d7r7eyopxgz',10,1,7,'usage.counted',1795768962576,'{"inputTokens":120,"outputTokens":30,"cacheReadTokens":900,"cacheWriteTokens":40,"costUsd":0.25,"model":"claude-opus-5-5","estimated":false}');
INSERT INTO events VALUES(11,'tsk_bidn6d7r7eyopxgz',11,1,8,'branch.pushed',1795768962582,'{"branch":"errand/tsk_bidn6d7r7eyopxgz/add-a-french-greeting","commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}');
INSERT INTO events VALUES(12,'tsk_bidn6d7r7eyopxgz',12,1,9,'turn.ended',1795768962592,'{"turn":1,"outcome":"completed","reason":"done","summary":"A greeting was added.","message":null,"diff":{"files":1,"insertions":3,"deletions":1}}');
INSERT INTO events VALUES(13,'tsk_bidn6d7r7eyopxgz',13,1,10,'attempt.ended',1795768962750,'{"outcome":"completed","reason":"done","message":null}');
INSERT INTO events VALUES(14,'tsk_bidn6d7r7eyopxgz',14,0,NULL,'task.ended',1795768962781,'{"turn":1,"status":"completed","reason":"done","message":null,"branch":"errand/tsk_bidn6d7r7eyopxgz/add-a-french-greeting"}');
INSERT INTO events VALUES(15,'tsk_pmcbsuvxsp5ldgmg',1,0,NULL,'task.created',1795768962844,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(16,'tsk_pmcbsuvxsp5ldgmg',2,0,NULL,'message.received',1795768962844,'{"messageId":"2dbaf7e1-0371-48e3-bbb7-ec9a5a22bd57","turn":1,"text":"Fix the failing test","mode":null,"clientId":null}');
INSERT INTO events VALUES(17,'tsk_pmcbsuvxsp5ldgmg',3,1,NULL,'attempt.started',1795768962929,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(18,'tsk_pmcbsuvxsp5ldgmg',4,1,1,'attempt.ended',1795768962964,'{"outcome":"interrupted","reason":"host_disk_full","message":null}');
INSERT INTO events VALUES(19,'tsk_roxnmugxtc2n7evo',1,0,NULL,'task.created',1795768963028,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(20,'tsk_roxnmugxtc2n7evo',2,0,NULL,'message.received',1795768963028,'{"messageId":"cda1104e-3baa-4541-82ab-604be9f82de6","turn":1,"text":"Look around","mode":null,"clientId":null}');
INSERT INTO events VALUES(21,'tsk_roxnmugxtc2n7evo',3,1,NULL,'attempt.started',1795768963121,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(22,'tsk_roxnmugxtc2n7evo',4,1,1,'turn.started',1795768963140,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(23,'tsk_roxnmugxtc2n7evo',5,0,NULL,'message.received',1795768963213,'{"messageId":"f78f2ef2-b097-4d6b-a692-86e870046963","turn":1,"text":"Keep it short.","mode":"steer","clientId":"client-2"}');
INSERT INTO events VALUES(24,'tsk_p5px273yts5dormc',1,0,NULL,'task.created',1795768963245,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(25,'tsk_p5px273yts5dormc',2,0,NULL,'message.received',1795768963245,'{"messageId":"47e5bf0e-073a-4def-aa66-20d054cef5ab","turn":1,"text":"Never mind","mode":null,"clientId":null}');
INSERT INTO events VALUES(26,'tsk_p5px273yts5dormc',3,0,NULL,'task.ended',1795768963263,'{"turn":1,"status":"cancelled","reason":"cancelled_by_user","message":null,"branch":null}');
INSERT INTO events VALUES(27,'tsk_y4b6txm2fzyddgfx',1,0,NULL,'task.created',1795768963389,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(28,'tsk_y4b6txm2fzyddgfx',2,0,NULL,'message.received',1795768963389,'{"messageId":"e51b56bc-b383-4766-b8ab-0f16f08e8285","turn":1,"text":"Document its use","mode":null,"clientId":null}');
CREATE TABLE IF NOT EXISTS "artifacts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "kind" text not null, "bytes" bigint not null, "created_at" bigint not null, constraint "artifacts_pk" primary key ("task_id", "attempt", "kind"));
INSERT INTO artifacts VALUES('tsk_bidn6d7r7eyopxgz',1,'transcript',3,1795768962746);
CREATE TABLE IF NOT EXISTS "runners" ("id" text primary key, "name" text not null, "slots" integer not null, "seen_at" bigint not null);
INSERT INTO runners VALUES('runner-a','A',1,1);
CREATE TABLE IF NOT EXISTS "inbox" ("id" text primary key, "task_id" text not null references "tasks" ("id") on delete cascade, "client_id" text, "seq" integer not null, "text" text not null, "mode" text, "state" text not null, "turn" integer, "created_at" bigint not null, "delivered_at" bigint, constraint "inbox_sent_once" unique ("task_id", "client_id"), constraint "inbox_in_order" unique ("task_id", "seq"));
INSERT INTO inbox VALUES('ca519a37-28f4-4b9c-ba1d-bea570b57df6','tsk_bidn6d7r7eyopxgz','client-1',2,'Add a French greeting',NULL,'delivered',1,1795768962291,1795768962378);
INSERT INTO inbox VALUES('2dbaf7e1-0371-48e3-bbb7-ec9a5a22bd57','tsk_pmcbsuvxsp5ldgmg',NULL,2,'Fix the failing test',NULL,'delivered',1,1795768962844,1795768962929);
INSERT INTO inbox VALUES('cda1104e-3baa-4541-82ab-604be9f82de6','tsk_roxnmugxtc2n7evo',NULL,2,'Look around',NULL,'delivered',1,1795768963028,1795768963121);
INSERT INTO inbox VALUES('f78f2ef2-b097-4d6b-a692-86e870046963','tsk_roxnmugxtc2n7evo','client-2',5,'Keep it short.','steer','waiting',NULL,1795768963213,NULL);
INSERT INTO inbox VALUES('47e5bf0e-073a-4def-aa66-20d054cef5ab','tsk_p5px273yts5dormc',NULL,2,'Never mind',NULL,'withdrawn',NULL,1795768963245,NULL);
INSERT INTO inbox VALUES('e51b56bc-b383-4766-b8ab-0f16f08e8285','tsk_y4b6txm2fzyddgfx',NULL,2,'Document its use',NULL,'waiting',NULL,1795768963389,NULL);
CREATE TABLE IF NOT EXISTS "push_subscriptions" ("endpoint" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "device_id" text not null, "p256dh" text not null, "auth" text not null, "created_at" bigint not null);
INSERT INTO push_subscriptions VALUES('https://push.example.com/1','usr_ada','device_1','BPx','abc',1795768963789);
CREATE TABLE IF NOT EXISTS "notification_settings" ("user_id" text primary key references "users" ("id") on delete cascade, "on_done" integer not null, "on_failed" integer not null, "on_attention" integer not null, "webhook_url" text);
INSERT INTO notification_settings VALUES('usr_ada',1,0,1,NULL);
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
COMMIT;
