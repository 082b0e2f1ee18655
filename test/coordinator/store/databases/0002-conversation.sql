PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
INSERT INTO kysely_migration VALUES('0001-initial','2026-11-27T08:42:19.087Z');
INSERT INTO kysely_migration VALUES('0002-conversation','2026-11-27T08:42:19.155Z');
CREATE TABLE IF NOT EXISTS "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
INSERT INTO kysely_migration_lock VALUES('migration_lock',0);
CREATE TABLE IF NOT EXISTS "users" ("id" text primary key, "identity" text not null unique, "name" text not null, "avatar_url" text, "admin" integer not null, "github_token" text, "last_released_at" bigint not null, "created_at" bigint not null);
INSERT INTO users VALUES('usr_ada','test:ada','ada',NULL,0,NULL,1795768939643,1795768939255);
INSERT INTO users VALUES('38240e0a-dc57-4e3b-a972-2a7f3acce7c3','local:owner','owner',NULL,1,NULL,0,1795768939710);
INSERT INTO users VALUES('bbee5dd3-af30-415b-ae41-ef7dc76a7e5f','github:42','grace',NULL,0,'v1.5d2eaeff.NzyzP3WkDdd8HECv.uZRFlBRkuu9d3ud_G788.WU7_c9aztFrjHc35ZeF_4Q',0,1795768939716);
CREATE TABLE IF NOT EXISTS "sessions" ("id" text primary key, "user_id" text references "users" ("id") on delete cascade, "data" text not null, "expires_at" bigint not null);
INSERT INTO sessions VALUES('session_1','usr_ada','{"cookie":{"originalMaxAge":1209600000,"expires":"2099-01-01T00:00:00.000Z","httpOnly":true,"sameSite":"lax","path":"/","secure":false},"passport":{"user":"usr_ada"},"device":{"name":"Chrome on Android","signedInAt":"2026-11-21T09:00:00.000Z"}}',4070908800000);
CREATE TABLE IF NOT EXISTS "api_tokens" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "name" text not null, "token_hash" text not null unique, "created_at" bigint not null, "last_used_at" bigint);
INSERT INTO api_tokens VALUES('1fabb9d8-f0b0-41f0-83db-e427b94ab732','38240e0a-dc57-4e3b-a972-2a7f3acce7c3','The machine that runs this server','9215b9d3c78f45e38dc7d55ccc1fc415016c1fc1374757d3d28299c31eb2a46d',1795768939769,NULL);
CREATE TABLE IF NOT EXISTS "sign_in_links" ("code_hash" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "expires_at" bigint not null);
INSERT INTO sign_in_links VALUES('129ac30f9fe68bd5311b60cf1e02e9fa7ab69aaac09f7ab3b0777f943be0c46e','38240e0a-dc57-4e3b-a972-2a7f3acce7c3',1795769539786);
CREATE TABLE IF NOT EXISTS "credentials" ("user_id" text not null references "users" ("id") on delete cascade, "host" text not null, "username" text, "token" text not null, "created_at" bigint not null, constraint "credentials_pk" primary key ("user_id", "host"));
INSERT INTO credentials VALUES('usr_ada','git.example.com','ada','v1.5d2eaeff.1xBlbLYEDfMNrlON.KhTrd6Zrz5g6LzmA-r9KyDw.wLzEUTlZubyeQKQfRejQBg',1795768939793);
CREATE TABLE IF NOT EXISTS "projects" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "repo_url" text not null, "name" text not null, "created_at" bigint not null, constraint "projects_once" unique ("user_id", "repo_url"));
INSERT INTO projects VALUES('a39c2e04-f92f-47dc-879d-3b3821d7de29','usr_ada','https://github.com/acme/engine.git','Engine',1795768939798);
CREATE TABLE IF NOT EXISTS "tasks" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "client_id" text, "repo_url" text not null, "base_branch" text, "branch" text not null, "prompt" text not null, "model" text not null, "budget_usd" double precision not null, "demo" integer not null, "status" text not null, "reason" text, "error" text, "turn" integer not null, "attempt" integer not null, "last_seq" integer not null, "released_at" bigint, "cancel_requested_at" bigint, "pull_request_url" text, "input_tokens" bigint default 0 not null, "output_tokens" bigint default 0 not null, "cache_read_tokens" bigint default 0 not null, "cache_write_tokens" bigint default 0 not null, "cost_usd" double precision default 0 not null, "created_at" bigint not null, "started_at" bigint, "completed_at" bigint, "message_id" text, "diff_files" integer, "diff_insertions" integer, "diff_deletions" integer, constraint "tasks_sent_once" unique ("user_id", "client_id"));
INSERT INTO tasks VALUES('tsk_s7od2yqc373y4zb7','usr_ada','client-1','https://github.com/acme/engine',NULL,'errand/tsk_s7od2yqc373y4zb7/add-a-french-greeting','Add a French greeting','claude-opus-5-5',5.0,1,'completed','done',NULL,1,1,14,NULL,NULL,NULL,120,30,900,40,0.25,1795768939261,1795768939316,1795768939406,'17427c3c-8e38-4819-b4a8-eb4aee0d3ec6',1,3,1);
INSERT INTO tasks VALUES('tsk_exphfeubpqflorcu','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_exphfeubpqflorcu/fix-the-failing-test','Fix the failing test','claude-opus-5-5',5.0,1,'pending','host_disk_full',NULL,1,1,4,1795768939437,NULL,NULL,0,0,0,0,0.0,1795768939428,1795768939464,NULL,'4af6ba26-dbd7-4885-8a35-da8908e0cc2e',NULL,NULL,NULL);
INSERT INTO tasks VALUES('tsk_u4gppccvcgvmefh2','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_u4gppccvcgvmefh2/look-around','Look around','claude-opus-5-5',5.0,1,'running',NULL,NULL,1,1,5,1795768939505,NULL,NULL,0,0,0,0,0.0,1795768939501,1795768939533,NULL,'eb173dec-60e6-4fbb-b61b-c0794a5fd7d7',NULL,NULL,NULL);
INSERT INTO tasks VALUES('tsk_lqiekchdnlqntqls','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_lqiekchdnlqntqls/never-mind','Never mind','claude-opus-5-5',5.0,1,'cancelled','cancelled_by_user',NULL,1,0,3,NULL,NULL,NULL,0,0,0,0,0.0,1795768939584,NULL,1795768939604,'caeea25e-969d-40cf-b194-3b8402544496',NULL,NULL,NULL);
INSERT INTO tasks VALUES('tsk_p3rb4ubrv4s6vvne','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_p3rb4ubrv4s6vvne/document-its-use','Document its use','claude-opus-5-5',5.0,1,'pending','no_runner',NULL,1,0,2,1795768939643,NULL,NULL,0,0,0,0,0.0,1795768939625,NULL,NULL,'1dd15e3f-4f04-4196-8ce2-fdb51750dea0',NULL,NULL,NULL);
CREATE TABLE IF NOT EXISTS "attempts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "turn" integer not null, "runner_id" text not null, "runner_name" text not null, "last_n" integer not null, "lease_until" bigint not null, "started_at" bigint not null, "ended_at" bigint, "outcome" text, "reason" text, constraint "attempts_pk" primary key ("task_id", "attempt"));
INSERT INTO attempts VALUES('tsk_s7od2yqc373y4zb7',1,1,'runner-a','A',10,1795768969316,1795768939316,1795768939406,'completed','done');
INSERT INTO attempts VALUES('tsk_exphfeubpqflorcu',1,1,'runner-a','A',1,1795768969464,1795768939464,1795768939480,'interrupted','host_disk_full');
INSERT INTO attempts VALUES('tsk_u4gppccvcgvmefh2',1,1,'runner-a','A',1,1795768969533,1795768939533,NULL,NULL,NULL);
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
INSERT INTO events VALUES(1,'tsk_s7od2yqc373y4zb7',1,0,NULL,'task.created',1795768939261,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(2,'tsk_s7od2yqc373y4zb7',2,0,NULL,'message.received',1795768939261,'{"messageId":"17427c3c-8e38-4819-b4a8-eb4aee0d3ec6","turn":1,"text":"Add a French greeting","mode":null,"clientId":"client-1"}');
INSERT INTO events VALUES(3,'tsk_s7od2yqc373y4zb7',3,1,NULL,'attempt.started',1795768939316,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(4,'tsk_s7od2yqc373y4zb7',4,1,1,'sandbox.ready',1795768939322,'{"node":"v20.20.0"}');
INSERT INTO events VALUES(5,'tsk_s7od2yqc373y4zb7',5,1,2,'repo.cloned',1795768939329,'{"baseBranch":"main","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","branch":"errand/tsk_s7od2yqc373y4zb7/add-a-french-greeting","resumed":false}');
INSERT INTO events VALUES(6,'tsk_s7od2yqc373y4zb7',6,1,3,'turn.started',1795768939332,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(7,'tsk_s7od2yqc373y4zb7',7,1,4,'text.written',1795768939333,'{"text":"I look at the greetings first."}');
INSERT INTO events VALUES(8,'tsk_s7od2yqc373y4zb7',8,1,5,'tool.started',1795768939361,'{"callId":"call_1","name":"bash","title":"npm test","input":{"command":"npm test"}}');
INSERT INTO events VALUES(9,'tsk_s7od2yqc373y4zb7',9,1,6,'tool.ended',1795768939363,'{"callId":"call_1","name":"bash","ok":true,"output":"exit_code: 0\nwall_time: 1.2s\nok","outputBytes":2,"exitCode":0,"durationMs":1200}');
INSERT INTO events VALUES(10,'tsk_s7od2yqc373y4zb7',10,1,7,'usage.counted',1795768939364,'{"inputTokens":120,"outputTokens":30,"cacheReadTokens":900,"cacheWriteTokens":40,"costUsd":0.25,"model":"claude-opus-5-5","estimated":false}');
INSERT INTO events VALUES(11,'tsk_s7od2yqc373y4zb7',11,1,8,'branch.pushed',1795768939364,'{"branch":"errand/tsk_s7od2yqc373y4zb7/add-a-french-greeting","commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}');
INSERT INTO events VALUES(12,'tsk_s7od2yqc373y4zb7',12,1,9,'turn.ended',1795768939365,'{"turn":1,"outcome":"completed","reason":"done","summary":"A greeting was added.","message":null,"diff":{"files":1,"insertions":3,"deletions":1}}');
INSERT INTO events VALUES(13,'tsk_s7od2yqc373y4zb7',13,1,10,'attempt.ended',1795768939402,'{"outcome":"completed","reason":"done","message":null}');
INSERT INTO events VALUES(14,'tsk_s7od2yqc373y4zb7',14,0,NULL,'task.ended',1795768939406,'{"turn":1,"status":"completed","reason":"done","message":null,"branch":"errand/tsk_s7od2yqc373y4zb7/add-a-french-greeting"}');
INSERT INTO events VALUES(15,'tsk_exphfeubpqflorcu',1,0,NULL,'task.created',1795768939428,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(16,'tsk_exphfeubpqflorcu',2,0,NULL,'message.received',1795768939428,'{"messageId":"4af6ba26-dbd7-4885-8a35-da8908e0cc2e","turn":1,"text":"Fix the failing test","mode":null,"clientId":null}');
INSERT INTO events VALUES(17,'tsk_exphfeubpqflorcu',3,1,NULL,'attempt.started',1795768939464,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(18,'tsk_exphfeubpqflorcu',4,1,1,'attempt.ended',1795768939476,'{"outcome":"interrupted","reason":"host_disk_full","message":null}');
INSERT INTO events VALUES(19,'tsk_u4gppccvcgvmefh2',1,0,NULL,'task.created',1795768939501,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(20,'tsk_u4gppccvcgvmefh2',2,0,NULL,'message.received',1795768939501,'{"messageId":"eb173dec-60e6-4fbb-b61b-c0794a5fd7d7","turn":1,"text":"Look around","mode":null,"clientId":null}');
INSERT INTO events VALUES(21,'tsk_u4gppccvcgvmefh2',3,1,NULL,'attempt.started',1795768939533,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(22,'tsk_u4gppccvcgvmefh2',4,1,1,'turn.started',1795768939548,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(23,'tsk_u4gppccvcgvmefh2',5,0,NULL,'message.received',1795768939570,'{"messageId":"e7986e8c-afbf-436a-94a8-17d2d3af6a15","turn":1,"text":"Keep it short.","mode":"steer","clientId":"client-2"}');
INSERT INTO events VALUES(24,'tsk_lqiekchdnlqntqls',1,0,NULL,'task.created',1795768939584,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(25,'tsk_lqiekchdnlqntqls',2,0,NULL,'message.received',1795768939584,'{"messageId":"caeea25e-969d-40cf-b194-3b8402544496","turn":1,"text":"Never mind","mode":null,"clientId":null}');
INSERT INTO events VALUES(26,'tsk_lqiekchdnlqntqls',3,0,NULL,'task.ended',1795768939604,'{"turn":1,"status":"cancelled","reason":"cancelled_by_user","message":null,"branch":null}');
INSERT INTO events VALUES(27,'tsk_p3rb4ubrv4s6vvne',1,0,NULL,'task.created',1795768939625,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(28,'tsk_p3rb4ubrv4s6vvne',2,0,NULL,'message.received',1795768939625,'{"messageId":"1dd15e3f-4f04-4196-8ce2-fdb51750dea0","turn":1,"text":"Document its use","mode":null,"clientId":null}');
CREATE TABLE IF NOT EXISTS "artifacts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "kind" text not null, "bytes" bigint not null, "created_at" bigint not null, constraint "artifacts_pk" primary key ("task_id", "attempt", "kind"));
INSERT INTO artifacts VALUES('tsk_s7od2yqc373y4zb7',1,'transcript',3,1795768939396);
CREATE TABLE IF NOT EXISTS "runners" ("id" text primary key, "name" text not null, "slots" integer not null, "seen_at" bigint not null);
INSERT INTO runners VALUES('runner-a','A',1,1);
CREATE TABLE IF NOT EXISTS "inbox" ("id" text primary key, "task_id" text not null references "tasks" ("id") on delete cascade, "client_id" text, "seq" integer not null, "text" text not null, "mode" text, "state" text not null, "turn" integer, "created_at" bigint not null, "delivered_at" bigint, constraint "inbox_sent_once" unique ("task_id", "client_id"), constraint "inbox_in_order" unique ("task_id", "seq"));
INSERT INTO inbox VALUES('17427c3c-8e38-4819-b4a8-eb4aee0d3ec6','tsk_s7od2yqc373y4zb7','client-1',2,'Add a French greeting',NULL,'delivered',1,1795768939261,1795768939316);
INSERT INTO inbox VALUES('4af6ba26-dbd7-4885-8a35-da8908e0cc2e','tsk_exphfeubpqflorcu',NULL,2,'Fix the failing test',NULL,'delivered',1,1795768939428,1795768939464);
INSERT INTO inbox VALUES('eb173dec-60e6-4fbb-b61b-c0794a5fd7d7','tsk_u4gppccvcgvmefh2',NULL,2,'Look around',NULL,'delivered',1,1795768939501,1795768939533);
INSERT INTO inbox VALUES('e7986e8c-afbf-436a-94a8-17d2d3af6a15','tsk_u4gppccvcgvmefh2','client-2',5,'Keep it short.','steer','waiting',NULL,1795768939570,NULL);
INSERT INTO inbox VALUES('caeea25e-969d-40cf-b194-3b8402544496','tsk_lqiekchdnlqntqls',NULL,2,'Never mind',NULL,'withdrawn',NULL,1795768939584,NULL);
INSERT INTO inbox VALUES('1dd15e3f-4f04-4196-8ce2-fdb51750dea0','tsk_p3rb4ubrv4s6vvne',NULL,2,'Document its use',NULL,'waiting',NULL,1795768939625,NULL);
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
COMMIT;
