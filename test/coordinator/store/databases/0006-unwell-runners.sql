PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
INSERT INTO kysely_migration VALUES('0001-initial','2026-11-27T08:47:49.804Z');
INSERT INTO kysely_migration VALUES('0002-conversation','2026-11-27T08:47:49.910Z');
INSERT INTO kysely_migration VALUES('0003-notifications','2026-11-27T08:47:49.966Z');
INSERT INTO kysely_migration VALUES('0004-budgets','2026-11-27T08:47:49.994Z');
INSERT INTO kysely_migration VALUES('0005-told-turns','2026-11-27T08:47:50.034Z');
INSERT INTO kysely_migration VALUES('0006-unwell-runners','2026-11-27T08:47:50.067Z');
CREATE TABLE IF NOT EXISTS "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
INSERT INTO kysely_migration_lock VALUES('migration_lock',0);
CREATE TABLE IF NOT EXISTS "users" ("id" text primary key, "identity" text not null unique, "name" text not null, "avatar_url" text, "admin" integer not null, "github_token" text, "last_released_at" bigint not null, "created_at" bigint not null, "default_budget_usd" real);
INSERT INTO users VALUES('usr_ada','test:ada','ada',NULL,0,NULL,1795769271189,1795769270230,2.5);
INSERT INTO users VALUES('29770302-d7bd-47b2-a95a-6dbdda030502','local:owner','owner',NULL,1,NULL,0,1795769271261,NULL);
INSERT INTO users VALUES('a6ab9230-c698-43a0-8c17-e9b85cb1d1ec','github:42','grace',NULL,0,'v1.5d2eaeff.IX0yLPOGe_8hUOUm.EaiOchOBjFFOPxrn6svr.h5uvwbT4yMbg4lBt_qFuFA',0,1795769271263,NULL);
CREATE TABLE IF NOT EXISTS "sessions" ("id" text primary key, "user_id" text references "users" ("id") on delete cascade, "data" text not null, "expires_at" bigint not null);
INSERT INTO sessions VALUES('session_1','usr_ada','{"cookie":{"originalMaxAge":1209600000,"expires":"2099-01-01T00:00:00.000Z","httpOnly":true,"sameSite":"lax","path":"/","secure":false},"passport":{"user":"usr_ada"},"device":{"name":"Chrome on Android","signedInAt":"2026-11-21T09:00:00.000Z"}}',4070908800000);
CREATE TABLE IF NOT EXISTS "api_tokens" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "name" text not null, "token_hash" text not null unique, "created_at" bigint not null, "last_used_at" bigint);
INSERT INTO api_tokens VALUES('1229e6ef-0101-4ea7-a03c-c3fd627e28e4','29770302-d7bd-47b2-a95a-6dbdda030502','The machine that runs this server','46ed81427205f6ef96daac63f9188a8156ca50aa1d6f7f40176ef0ca3a2109a3',1795769271268,NULL);
CREATE TABLE IF NOT EXISTS "sign_in_links" ("code_hash" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "expires_at" bigint not null);
INSERT INTO sign_in_links VALUES('9abc01755cfe95a25217ae0eae9c6845bdf4e8047bb0261cd6ead8d1f2eb24ba','29770302-d7bd-47b2-a95a-6dbdda030502',1795769871280);
CREATE TABLE IF NOT EXISTS "credentials" ("user_id" text not null references "users" ("id") on delete cascade, "host" text not null, "username" text, "token" text not null, "created_at" bigint not null, constraint "credentials_pk" primary key ("user_id", "host"));
INSERT INTO credentials VALUES('usr_ada','git.example.com','ada','v1.5d2eaeff.ik_yuMpY3YZBUwEe.2UQLtRw_q5YkTM20Ctx6ieI.GboNw7ScVVHyEPuFNn-8Yg',1795769271300);
CREATE TABLE IF NOT EXISTS "projects" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "repo_url" text not null, "name" text not null, "created_at" bigint not null, constraint "projects_once" unique ("user_id", "repo_url"));
INSERT INTO projects VALUES('954df61b-2f5d-49ea-9f13-1e407bcac0cb','usr_ada','https://github.com/acme/engine.git','Engine',1795769271316);
CREATE TABLE IF NOT EXISTS "tasks" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "client_id" text, "repo_url" text not null, "base_branch" text, "branch" text not null, "prompt" text not null, "model" text not null, "budget_usd" double precision not null, "demo" integer not null, "status" text not null, "reason" text, "error" text, "turn" integer not null, "attempt" integer not null, "last_seq" integer not null, "released_at" bigint, "cancel_requested_at" bigint, "pull_request_url" text, "input_tokens" bigint default 0 not null, "output_tokens" bigint default 0 not null, "cache_read_tokens" bigint default 0 not null, "cache_write_tokens" bigint default 0 not null, "cost_usd" double precision default 0 not null, "created_at" bigint not null, "started_at" bigint, "completed_at" bigint, "message_id" text, "diff_files" integer, "diff_insertions" integer, "diff_deletions" integer, "told_turn" integer default 0 not null, constraint "tasks_sent_once" unique ("user_id", "client_id"));
INSERT INTO tasks VALUES('tsk_zbkvbrfhw3v7l2b2','usr_ada','client-1','https://github.com/acme/engine',NULL,'errand/tsk_zbkvbrfhw3v7l2b2/add-a-french-greeting','Add a French greeting','claude-opus-5-5',5.0,1,'completed','done',NULL,1,1,14,NULL,NULL,NULL,120,30,900,40,0.25,1795769270240,1795769270356,1795769270705,'537e69b5-a4bc-45ca-970b-e72ee82c8530',1,3,1,0);
INSERT INTO tasks VALUES('tsk_ccw6i54eujut6unj','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_ccw6i54eujut6unj/fix-the-failing-test','Fix the failing test','claude-opus-5-5',5.0,1,'pending','host_disk_full',NULL,1,1,4,1795769270750,NULL,NULL,0,0,0,0,0.0,1795769270727,1795769270805,NULL,'a79382a4-d29c-4913-ab5c-f834f5f965ac',NULL,NULL,NULL,0);
INSERT INTO tasks VALUES('tsk_etxwikkp6assqo7x','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_etxwikkp6assqo7x/look-around','Look around','claude-opus-5-5',5.0,1,'running',NULL,NULL,1,1,5,1795769270900,NULL,NULL,0,0,0,0,0.0,1795769270879,1795769270966,NULL,'86840bc7-e6f9-4158-a1d4-4debbe5e2206',NULL,NULL,NULL,0);
INSERT INTO tasks VALUES('tsk_ctnvbvgstypudgfe','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_ctnvbvgstypudgfe/never-mind','Never mind','claude-opus-5-5',5.0,1,'cancelled','cancelled_by_user',NULL,1,0,3,NULL,NULL,NULL,0,0,0,0,0.0,1795769271097,NULL,1795769271120,'71afdb52-a4cb-4b85-a9c9-f8ed11e8101b',NULL,NULL,NULL,0);
INSERT INTO tasks VALUES('tsk_23p6slw33alnlrnr','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_23p6slw33alnlrnr/document-its-use','Document its use','claude-opus-5-5',5.0,1,'pending','no_runner',NULL,1,0,2,1795769271189,NULL,NULL,0,0,0,0,0.0,1795769271175,NULL,NULL,'64d52b78-7932-465f-b978-82c01ac200e6',NULL,NULL,NULL,0);
CREATE TABLE IF NOT EXISTS "attempts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "turn" integer not null, "runner_id" text not null, "runner_name" text not null, "last_n" integer not null, "lease_until" bigint not null, "started_at" bigint not null, "ended_at" bigint, "outcome" text, "reason" text, constraint "attempts_pk" primary key ("task_id", "attempt"));
INSERT INTO attempts VALUES('tsk_zbkvbrfhw3v7l2b2',1,1,'runner-a','A',10,1795769300356,1795769270356,1795769270705,'completed','done');
INSERT INTO attempts VALUES('tsk_ccw6i54eujut6unj',1,1,'runner-a','A',1,1795769300805,1795769270805,1795769270841,'interrupted','host_disk_full');
INSERT INTO attempts VALUES('tsk_etxwikkp6assqo7x',1,1,'runner-a','A',1,1795769300966,1795769270966,NULL,NULL,NULL);
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
INSERT INTO events VALUES(1,'tsk_zbkvbrfhw3v7l2b2',1,0,NULL,'task.created',1795769270240,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(2,'tsk_zbkvbrfhw3v7l2b2',2,0,NULL,'message.received',1795769270240,'{"messageId":"537e69b5-a4bc-45ca-970b-e72ee82c8530","turn":1,"text":"Add a French greeting","mode":null,"clientId":"client-1"}');
INSERT INTO events VALUES(3,'tsk_zbkvbrfhw3v7l2b2',3,1,NULL,'attempt.started',1795769270356,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(4,'tsk_zbkvbrfhw3v7l2b2',4,1,1,'sandbox.ready',1795769270391,'{"node":"v20.20.0"}');
INSERT INTO events VALUES(5,'tsk_zbkvbrfhw3v7l2b2',5,1,2,'repo.cloned',1795769270402,'{"baseBranch":"main","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","branch":"errand/tsk_zbkvbrfhw3v7l2b2/add-a-french-greeting","resumed":false}');
INSERT INTO events VALUES(6,'tsk_zbkvbrfhw3v7l2b2',6,1,3,'turn.started',1795769270432,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(7,'tsk_zbkvbrfhw3v7l2b2',7,1,4,'text.written',1795769270433,'{"text":"I look at the greetings first."}');
INSERT INTO events VALUES(8,'tsk_zbkvbrfhw3v7l2b2',8,1,5,'tool.started',1795769270494,'{"callId":"call_1","name":"bash","title":"npm test","input":{"command":"npm test"}}');
INSERT INTO events VALUES(9,'tsk_zbkvbrfhw3v7l2b2',9,1,6,'tool.ended',1795769270505,'{"callId":"call_1","name":"bash","ok":true,"output":"exit_code: 0\nwall_time: 1.2s\nok","outputBytes":2,"exitCode":0,"durationMs":1200}');
INSERT INTO events VALUES(10,'tsk_zbkvbrfhw3v7l2b2',10,1,7,'usage.counted',1795769270516,'{"inputTokens":120,"outputTokens":30,"cacheReadTokens":900,"cacheWriteTokens":40,"costUsd":0.25,"model":"claude-opus-5-5","estimated":false}');
INSERT INTO events VALUES(11,'tsk_zbkvbrfhw3v7l2b2',11,1,8,'branch.pushed',1795769270549,'{"branch":"errand/tsk_zbkvbrfhw3v7l2b2/add-a-french-greeting","commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}');
INSERT INTO events VALUES(12,'tsk_zbkvbrfhw3v7l2b2',12,1,9,'turn.ended',1795769270550,'{"turn":1,"outcome":"completed","reason":"done","summary":"A greeting was added.","message":null,"diff":{"files":1,"insertions":3,"deletions":1}}');
INSERT INTO events VALUES(13,'tsk_zbkvbrfhw3v7l2b2',13,1,10,'attempt.ended',1795769270701,'{"outcome":"completed","reason":"done","message":null}');
INSERT INTO events VALUES(14,'tsk_zbkvbrfhw3v7l2b2',14,0,NULL,'task.ended',1795769270705,'{"turn":1,"status":"completed","reason":"done","message":null,"branch":"errand/tsk_zbkvbrfhw3v7l2b2/add-a-french-greeting"}');
INSERT INTO events VALUES(15,'tsk_ccw6i54eujut6unj',1,0,NULL,'task.created',1795769270727,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(16,'tsk_ccw6i54eujut6unj',2,0,NULL,'message.received',1795769270727,'{"messageId":"a79382a4-d29c-4913-ab5c-f834f5f965ac","turn":1,"text":"Fix the failing test","mode":null,"clientId":null}');
INSERT INTO events VALUES(17,'tsk_ccw6i54eujut6unj',3,1,NULL,'attempt.started',1795769270805,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(18,'tsk_ccw6i54eujut6unj',4,1,1,'attempt.ended',1795769270832,'{"outcome":"interrupted","reason":"host_disk_full","message":null}');
INSERT INTO events VALUES(19,'tsk_etxwikkp6assqo7x',1,0,NULL,'task.created',1795769270879,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(20,'tsk_etxwikkp6assqo7x',2,0,NULL,'message.received',1795769270879,'{"messageId":"86840bc7-e6f9-4158-a1d4-4debbe5e2206","turn":1,"text":"Look around","mode":null,"clientId":null}');
INSERT INTO events VALUES(21,'tsk_etxwikkp6assqo7x',3,1,NULL,'attempt.started',1795769270966,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(22,'tsk_etxwikkp6assqo7x',4,1,1,'turn.started',1795769270998,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(23,'tsk_etxwikkp6assqo7x',5,0,NULL,'message.received',1795769271066,'{"messageId":"861015cb-0041-4a9c-9712-a2eeac00aa42","turn":1,"text":"Keep it short.","mode":"steer","clientId":"client-2"}');
INSERT INTO events VALUES(24,'tsk_ctnvbvgstypudgfe',1,0,NULL,'task.created',1795769271097,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(25,'tsk_ctnvbvgstypudgfe',2,0,NULL,'message.received',1795769271097,'{"messageId":"71afdb52-a4cb-4b85-a9c9-f8ed11e8101b","turn":1,"text":"Never mind","mode":null,"clientId":null}');
INSERT INTO events VALUES(26,'tsk_ctnvbvgstypudgfe',3,0,NULL,'task.ended',1795769271120,'{"turn":1,"status":"cancelled","reason":"cancelled_by_user","message":null,"branch":null}');
INSERT INTO events VALUES(27,'tsk_23p6slw33alnlrnr',1,0,NULL,'task.created',1795769271175,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(28,'tsk_23p6slw33alnlrnr',2,0,NULL,'message.received',1795769271175,'{"messageId":"64d52b78-7932-465f-b978-82c01ac200e6","turn":1,"text":"Document its use","mode":null,"clientId":null}');
CREATE TABLE IF NOT EXISTS "artifacts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "kind" text not null, "bytes" bigint not null, "created_at" bigint not null, constraint "artifacts_pk" primary key ("task_id", "attempt", "kind"));
INSERT INTO artifacts VALUES('tsk_zbkvbrfhw3v7l2b2',1,'transcript',3,1795769270699);
CREATE TABLE IF NOT EXISTS "runners" ("id" text primary key, "name" text not null, "slots" integer not null, "seen_at" bigint not null, "unwell_reason" text, "unwell_message" text);
INSERT INTO runners VALUES('runner-a','A',1,1,NULL,NULL);
INSERT INTO runners VALUES('runner-b','B',2,1,'image_missing','No such image');
CREATE TABLE IF NOT EXISTS "inbox" ("id" text primary key, "task_id" text not null references "tasks" ("id") on delete cascade, "client_id" text, "seq" integer not null, "text" text not null, "mode" text, "state" text not null, "turn" integer, "created_at" bigint not null, "delivered_at" bigint, constraint "inbox_sent_once" unique ("task_id", "client_id"), constraint "inbox_in_order" unique ("task_id", "seq"));
INSERT INTO inbox VALUES('537e69b5-a4bc-45ca-970b-e72ee82c8530','tsk_zbkvbrfhw3v7l2b2','client-1',2,'Add a French greeting',NULL,'delivered',1,1795769270240,1795769270356);
INSERT INTO inbox VALUES('a79382a4-d29c-4913-ab5c-f834f5f965ac','tsk_ccw6i54eujut6unj',NULL,2,'Fix the failing test',NULL,'delivered',1,1795769270727,1795769270805);
INSERT INTO inbox VALUES('86840bc7-e6f9-4158-a1d4-4debbe5e2206','tsk_etxwikkp6assqo7x',NULL,2,'Look around',NULL,'delivered',1,1795769270879,1795769270966);
INSERT INTO inbox VALUES('861015cb-0041-4a9c-9712-a2eeac00aa42','tsk_etxwikkp6assqo7x','client-2',5,'Keep it short.','steer','waiting',NULL,1795769271066,NULL);
INSERT INTO inbox VALUES('71afdb52-a4cb-4b85-a9c9-f8ed11e8101b','tsk_ctnvbvgstypudgfe',NULL,2,'Never mind',NULL,'withdrawn',NULL,1795769271097,NULL);
INSERT INTO inbox VALUES('64d52b78-7932-465f-b978-82c01ac200e6','tsk_23p6slw33alnlrnr',NULL,2,'Document its use',NULL,'waiting',NULL,1795769271175,NULL);
CREATE TABLE IF NOT EXISTS "push_subscriptions" ("endpoint" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "device_id" text not null, "p256dh" text not null, "auth" text not null, "created_at" bigint not null);
INSERT INTO push_subscriptions VALUES('https://push.example.com/1','usr_ada','device_1','BPx','abc',1795769271354);
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
