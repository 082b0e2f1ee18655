PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
INSERT INTO kysely_migration VALUES('0001-initial','2026-11-27T08:43:02.352Z');
INSERT INTO kysely_migration VALUES('0002-conversation','2026-11-27T08:43:02.434Z');
INSERT INTO kysely_migration VALUES('0003-notifications','2026-11-27T08:43:02.464Z');
INSERT INTO kysely_migration VALUES('0004-budgets','2026-11-27T08:43:02.473Z');
INSERT INTO kysely_migration VALUES('0005-told-turns','2026-11-27T08:43:02.493Z');
CREATE TABLE IF NOT EXISTS "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
INSERT INTO kysely_migration_lock VALUES('migration_lock',0);
CREATE TABLE IF NOT EXISTS "users" ("id" text primary key, "identity" text not null unique, "name" text not null, "avatar_url" text, "admin" integer not null, "github_token" text, "last_released_at" bigint not null, "created_at" bigint not null, "default_budget_usd" real);
INSERT INTO users VALUES('usr_ada','test:ada','ada',NULL,0,NULL,1795768984564,1795768982736,2.5);
INSERT INTO users VALUES('93ddb326-06af-42a8-83df-bb0817d761b9','local:owner','owner',NULL,1,NULL,0,1795768984929,NULL);
INSERT INTO users VALUES('bf6a9a71-b316-4f7a-92ed-2a70ebe88191','github:42','grace',NULL,0,'v1.5d2eaeff.g0GqEF6-AoNgFrL5.5XAjimyhdC4QIgZJm05d.zEcYewwNQAvzk6w-rcCrZQ',0,1795768984960,NULL);
CREATE TABLE IF NOT EXISTS "sessions" ("id" text primary key, "user_id" text references "users" ("id") on delete cascade, "data" text not null, "expires_at" bigint not null);
INSERT INTO sessions VALUES('session_1','usr_ada','{"cookie":{"originalMaxAge":1209600000,"expires":"2099-01-01T00:00:00.000Z","httpOnly":true,"sameSite":"lax","path":"/","secure":false},"passport":{"user":"usr_ada"},"device":{"name":"Chrome on Android","signedInAt":"2026-11-21T09:00:00.000Z"}}',4070908800000);
CREATE TABLE IF NOT EXISTS "api_tokens" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "name" text not null, "token_hash" text not null unique, "created_at" bigint not null, "last_used_at" bigint);
INSERT INTO api_tokens VALUES('81583451-29b4-4943-bfc0-bf2897d67914','93ddb326-06af-42a8-83df-bb0817d761b9','The machine that runs this server','ba5b3121a6c7b171f5dea83e340992016c92ee84d5311d6d1e4b113d88784b7f',1795768985020,NULL);
CREATE TABLE IF NOT EXISTS "sign_in_links" ("code_hash" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "expires_at" bigint not null);
INSERT INTO sign_in_links VALUES('d4f11497c22d3102c3586e7d6c63ed0c639f32e63450f020270ee05e1000c488','93ddb326-06af-42a8-83df-bb0817d761b9',1795769585051);
CREATE TABLE IF NOT EXISTS "credentials" ("user_id" text not null references "users" ("id") on delete cascade, "host" text not null, "username" text, "token" text not null, "created_at" bigint not null, constraint "credentials_pk" primary key ("user_id", "host"));
INSERT INTO credentials VALUES('usr_ada','git.example.com','ada','v1.5d2eaeff.pZdFjDhSniCDSVS2.juKQSHxg-9cz8Gidz3Pj-7E.wBdc4hi2Zjmd3B2s9t5L-A',1795768985061);
CREATE TABLE IF NOT EXISTS "projects" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "repo_url" text not null, "name" text not null, "created_at" bigint not null, constraint "projects_once" unique ("user_id", "repo_url"));
INSERT INTO projects VALUES('a8b1a804-d512-4cf6-968e-eab83ac43518','usr_ada','https://github.com/acme/engine.git','Engine',1795768985068);
CREATE TABLE IF NOT EXISTS "tasks" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "client_id" text, "repo_url" text not null, "base_branch" text, "branch" text not null, "prompt" text not null, "model" text not null, "budget_usd" double precision not null, "demo" integer not null, "status" text not null, "reason" text, "error" text, "turn" integer not null, "attempt" integer not null, "last_seq" integer not null, "released_at" bigint, "cancel_requested_at" bigint, "pull_request_url" text, "input_tokens" bigint default 0 not null, "output_tokens" bigint default 0 not null, "cache_read_tokens" bigint default 0 not null, "cache_write_tokens" bigint default 0 not null, "cost_usd" double precision default 0 not null, "created_at" bigint not null, "started_at" bigint, "completed_at" bigint, "message_id" text, "diff_files" integer, "diff_insertions" integer, "diff_deletions" integer, "told_turn" integer default 0 not null, constraint "tasks_sent_once" unique ("user_id", "client_id"));
INSERT INTO tasks VALUES('tsk_rdaniyxpwi54th5e','usr_ada','client-1','https://github.com/acme/engine',NULL,'errand/tsk_rdaniyxpwi54th5e/add-a-french-greeting','Add a French greeting','claude-opus-5-5',5.0,1,'completed','done',NULL,1,1,14,NULL,NULL,NULL,120,30,900,40,0.25,1795768982764,1795768982900,1795768983630,'b78eeebf-05f7-435a-98c8-d5ee803fb280',1,3,1,0);
INSERT INTO tasks VALUES('tsk_apjryb5ud6oal3tu','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_apjryb5ud6oal3tu/fix-the-failing-test','Fix the failing test','claude-opus-5-5',5.0,1,'pending','no_runner',NULL,1,1,4,1795768983847,NULL,NULL,0,0,0,0,0.0,1795768983798,1795768983921,NULL,'37c00045-8a00-4964-842d-2fc788a4e6c7',NULL,NULL,NULL,0);
INSERT INTO tasks VALUES('tsk_nst7i7ikdva7qx6j','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_nst7i7ikdva7qx6j/look-around','Look around','claude-opus-5-5',5.0,1,'running',NULL,NULL,1,1,5,1795768984053,NULL,NULL,0,0,0,0,0.0,1795768984026,1795768984220,NULL,'131f492d-a918-47df-9317-37d8dc19bd71',NULL,NULL,NULL,0);
INSERT INTO tasks VALUES('tsk_cfcmhfkg5jmlskwv','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_cfcmhfkg5jmlskwv/never-mind','Never mind','claude-opus-5-5',5.0,1,'cancelled','cancelled_by_user',NULL,1,0,3,NULL,NULL,NULL,0,0,0,0,0.0,1795768984429,NULL,1795768984458,'eaaea540-764c-40b3-ab9d-4925de4d804b',NULL,NULL,NULL,0);
INSERT INTO tasks VALUES('tsk_jagwqq7rvsdp27xn','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_jagwqq7rvsdp27xn/document-its-use','Document its use','claude-opus-5-5',5.0,1,'pending','no_runner',NULL,1,0,2,1795768984564,NULL,NULL,0,0,0,0,0.0,1795768984516,NULL,NULL,'7f423994-2665-410f-9c7b-1eafc103e9a1',NULL,NULL,NULL,0);
CREATE TABLE IF NOT EXISTS "attempts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "turn" integer not null, "runner_id" text not null, "runner_name" text not null, "last_n" integer not null, "lease_until" bigint not null, "started_at" bigint not null, "ended_at" bigint, "outcome" text, "reason" text, constraint "attempts_pk" primary key ("task_id", "attempt"));
INSERT INTO attempts VALUES('tsk_rdaniyxpwi54th5e',1,1,'runner-a','A',10,1795769012900,1795768982900,1795768983630,'completed','done');
INSERT INTO attempts VALUES('tsk_apjryb5ud6oal3tu',1,1,'runner-a','A',1,1795769013921,1795768983921,1795768983993,'interrupted','host_disk_full');
INSERT INTO attempts VALUES('tsk_nst7i7ikdva7qx6j',1,1,'runner-a','A',1,1795769014220,1795768984220,NULL,NULL,NULL);
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
INSERT INTO events VALUES(1,'tsk_rdaniyxpwi54th5e',1,0,NULL,'task.created',1795768982764,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(2,'tsk_rdaniyxpwi54th5e',2,0,NULL,'message.received',1795768982764,'{"messageId":"b78eeebf-05f7-435a-98c8-d5ee803fb280","turn":1,"text":"Add a French greeting","mode":null,"clientId":"client-1"}');
INSERT INTO events VALUES(3,'tsk_rdaniyxpwi54th5e',3,1,NULL,'attempt.started',1795768982900,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(4,'tsk_rdaniyxpwi54th5e',4,1,1,'sandbox.ready',1795768982933,'{"node":"v20.20.0"}');
INSERT INTO events VALUES(5,'tsk_rdaniyxpwi54th5e',5,1,2,'repo.cloned',1795768982950,'{"baseBranch":"main","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","branch":"errand/tsk_rdaniyxpwi54th5e/add-a-french-greeting","resumed":false}');
INSERT INTO events VALUES(6,'tsk_rdaniyxpwi54th5e',6,1,3,'turn.started',1795768982958,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(7,'tsk_rdaniyxpwi54th5e',7,1,4,'text.written',1795768983044,'{"text":"I look at the greetings first."}');
INSERT INTO events VALUES(8,'tsk_rdaniyxpwi54th5e',8,1,5,'tool.started',1795768983084,'{"callId":"call_1","name":"bash","title":"npm test","input":{"command":"npm test"}}');
INSERT INTO events VALUES(9,'tsk_rdaniyxpwi54th5e',9,1,6,'tool.ended',1795768983143,'{"callId":"call_1","name":"bash","ok":true,"output":"exit_code: 0\nwall_time: 1.2s\nok","outputBytes":2,"exitCode":0,"durationMs":1200}');
INSERT INTO events VALUES(10,'tsk_rdaniyxpwi54th5e',10,1,7,'usage.counted',1795768983164,'{"inputTokens":120,"outputTokens":30,"cacheReadTokens":900,"cacheWriteTokens":40,"costUsd":0.25,"model":"claude-opus-5-5","estimated":false}');
INSERT INTO events VALUES(11,'tsk_rdaniyxpwi54th5e',11,1,8,'branch.pushed',1795768983174,'{"branch":"errand/tsk_rdaniyxpwi54th5e/add-a-french-greeting","commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}');
INSERT INTO events VALUES(12,'tsk_rdaniyxpwi54th5e',12,1,9,'turn.ended',1795768983237,'{"turn":1,"outcome":"completed","reason":"done","summary":"A greeting was added.","message":null,"diff":{"files":1,"insertions":3,"deletions":1}}');
INSERT INTO events VALUES(13,'tsk_rdaniyxpwi54th5e',13,1,10,'attempt.ended',1795768983542,'{"outcome":"completed","reason":"done","message":null}');
INSERT INTO events VALUES(14,'tsk_rdaniyxpwi54th5e',14,0,NULL,'task.ended',1795768983630,'{"turn":1,"status":"completed","reason":"done","message":null,"branch":"errand/tsk_rdaniyxpwi54th5e/add-a-french-greeting"}');
INSERT INTO events VALUES(15,'tsk_apjryb5ud6oal3tu',1,0,NULL,'task.created',1795768983798,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(16,'tsk_apjryb5ud6oal3tu',2,0,NULL,'message.received',1795768983798,'{"messageId":"37c00045-8a00-4964-842d-2fc788a4e6c7","turn":1,"text":"Fix the failing test","mode":null,"clientId":null}');
INSERT INTO events VALUES(17,'tsk_apjryb5ud6oal3tu',3,1,NULL,'attempt.started',1795768983921,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(18,'tsk_apjryb5ud6oal3tu',4,1,1,'attempt.ended',1795768983965,'{"outcome":"interrupted","reason":"host_disk_full","message":null}');
INSERT INTO events VALUES(19,'tsk_nst7i7ikdva7qx6j',1,0,NULL,'task.created',1795768984026,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(20,'tsk_nst7i7ikdva7qx6j',2,0,NULL,'message.received',1795768984026,'{"messageId":"131f492d-a918-47df-9317-37d8dc19bd71","turn":1,"text":"Look around","mode":null,"clientId":null}');
INSERT INTO events VALUES(21,'tsk_nst7i7ikdva7qx6j',3,1,NULL,'attempt.started',1795768984220,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(22,'tsk_nst7i7ikdva7qx6j',4,1,1,'turn.started',1795768984242,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(23,'tsk_nst7i7ikdva7qx6j',5,0,NULL,'message.received',1795768984361,'{"messageId":"3954fb62-625f-4c2e-a57c-1b78efe3e975","turn":1,"text":"Keep it short.","mode":"steer","clientId":"client-2"}');
INSERT INTO events VALUES(24,'tsk_cfcmhfkg5jmlskwv',1,0,NULL,'task.created',1795768984429,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(25,'tsk_cfcmhfkg5jmlskwv',2,0,NULL,'message.received',1795768984429,'{"messageId":"eaaea540-764c-40b3-ab9d-4925de4d804b","turn":1,"text":"Never mind","mode":null,"clientId":null}');
INSERT INTO events VALUES(26,'tsk_cfcmhfkg5jmlskwv',3,0,NULL,'task.ended',1795768984458,'{"turn":1,"status":"cancelled","reason":"cancelled_by_user","message":null,"branch":null}');
INSERT INTO events VALUES(27,'tsk_jagwqq7rvsdp27xn',1,0,NULL,'task.created',1795768984516,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(28,'tsk_jagwqq7rvsdp27xn',2,0,NULL,'message.received',1795768984516,'{"messageId":"7f423994-2665-410f-9c7b-1eafc103e9a1","turn":1,"text":"Document its use","mode":null,"clientId":null}');
CREATE TABLE IF NOT EXISTS "artifacts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "kind" text not null, "bytes" bigint not null, "created_at" bigint not null, constraint "artifacts_pk" primary key ("task_id", "attempt", "kind"));
INSERT INTO artifacts VALUES('tsk_rdaniyxpwi54th5e',1,'transcript',3,1795768983510);
CREATE TABLE IF NOT EXISTS "runners" ("id" text primary key, "name" text not null, "slots" integer not null, "seen_at" bigint not null);
INSERT INTO runners VALUES('runner-a','A',1,1);
CREATE TABLE IF NOT EXISTS "inbox" ("id" text primary key, "task_id" text not null references "tasks" ("id") on delete cascade, "client_id" text, "seq" integer not null, "text" text not null, "mode" text, "state" text not null, "turn" integer, "created_at" bigint not null, "delivered_at" bigint, constraint "inbox_sent_once" unique ("task_id", "client_id"), constraint "inbox_in_order" unique ("task_id", "seq"));
INSERT INTO inbox VALUES('b78eeebf-05f7-435a-98c8-d5ee803fb280','tsk_rdaniyxpwi54th5e','client-1',2,'Add a French greeting',NULL,'delivered',1,1795768982764,1795768982900);
INSERT INTO inbox VALUES('37c00045-8a00-4964-842d-2fc788a4e6c7','tsk_apjryb5ud6oal3tu',NULL,2,'Fix the failing test',NULL,'delivered',1,1795768983798,1795768983921);
INSERT INTO inbox VALUES('131f492d-a918-47df-9317-37d8dc19bd71','tsk_nst7i7ikdva7qx6j',NULL,2,'Look around',NULL,'delivered',1,1795768984026,1795768984220);
INSERT INTO inbox VALUES('3954fb62-625f-4c2e-a57c-1b78efe3e975','tsk_nst7i7ikdva7qx6j','client-2',5,'Keep it short.','steer','waiting',NULL,1795768984361,NULL);
INSERT INTO inbox VALUES('eaaea540-764c-40b3-ab9d-4925de4d804b','tsk_cfcmhfkg5jmlskwv',NULL,2,'Never mind',NULL,'withdrawn',NULL,1795768984429,NULL);
INSERT INTO inbox VALUES('7f423994-2665-410f-9c7b-1eafc103e9a1','tsk_jagwqq7rvsdp27xn',NULL,2,'Document its use',NULL,'waiting',NULL,1795768984516,NULL);
CREATE TABLE IF NOT EXISTS "push_subscriptions" ("endpoint" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "device_id" text not null, "p256dh" text not null, "auth" text not null, "created_at" bigint not null);
INSERT INTO push_subscriptions VALUES('https://push.example.com/1','usr_ada','device_1','BPx','abc',1795768985131);
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
CREATE INDEX tasks_untold on tasks (id) where told_turn < turn and completed_at is not null;
COMMIT;
