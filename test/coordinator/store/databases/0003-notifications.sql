PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
INSERT INTO kysely_migration VALUES('0001-initial','2026-11-27T08:42:28.355Z');
INSERT INTO kysely_migration VALUES('0002-conversation','2026-11-27T08:42:28.398Z');
INSERT INTO kysely_migration VALUES('0003-notifications','2026-11-27T08:42:28.408Z');
CREATE TABLE IF NOT EXISTS "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
INSERT INTO kysely_migration_lock VALUES('migration_lock',0);
CREATE TABLE IF NOT EXISTS "users" ("id" text primary key, "identity" text not null unique, "name" text not null, "avatar_url" text, "admin" integer not null, "github_token" text, "last_released_at" bigint not null, "created_at" bigint not null);
INSERT INTO users VALUES('usr_ada','test:ada','ada',NULL,0,NULL,1795768948918,1795768948451);
INSERT INTO users VALUES('85f773d2-4a88-4f6e-b03f-420f45a5e59a','local:owner','owner',NULL,1,NULL,0,1795768949017);
INSERT INTO users VALUES('522214d3-5508-41f1-a021-043fe57d702c','github:42','grace',NULL,0,'v1.5d2eaeff.WCabHJKrTquIa4jm.XYmo2q7p9wijbyVoypIw.y_u3ISJGmWDpau-l4OqkRw',0,1795768949022);
CREATE TABLE IF NOT EXISTS "sessions" ("id" text primary key, "user_id" text references "users" ("id") on delete cascade, "data" text not null, "expires_at" bigint not null);
INSERT INTO sessions VALUES('session_1','usr_ada','{"cookie":{"originalMaxAge":1209600000,"expires":"2099-01-01T00:00:00.000Z","httpOnly":true,"sameSite":"lax","path":"/","secure":false},"passport":{"user":"usr_ada"},"device":{"name":"Chrome on Android","signedInAt":"2026-11-21T09:00:00.000Z"}}',4070908800000);
CREATE TABLE IF NOT EXISTS "api_tokens" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "name" text not null, "token_hash" text not null unique, "created_at" bigint not null, "last_used_at" bigint);
INSERT INTO api_tokens VALUES('8a5c7f21-2652-48ba-a3a6-fff49df8c209','85f773d2-4a88-4f6e-b03f-420f45a5e59a','The machine that runs this server','f297b417e22a0e1890a367cf3dc665a50275fbd7c338513d6f1ac165ba168b4a',1795768949034,NULL);
CREATE TABLE IF NOT EXISTS "sign_in_links" ("code_hash" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "expires_at" bigint not null);
INSERT INTO sign_in_links VALUES('7e9538c39f62f2bc16f18e1e229d3377a175ab79d4486becb686902153a85148','85f773d2-4a88-4f6e-b03f-420f45a5e59a',1795769549049);
CREATE TABLE IF NOT EXISTS "credentials" ("user_id" text not null references "users" ("id") on delete cascade, "host" text not null, "username" text, "token" text not null, "created_at" bigint not null, constraint "credentials_pk" primary key ("user_id", "host"));
INSERT INTO credentials VALUES('usr_ada','git.example.com','ada','v1.5d2eaeff.VjfH80rpekbyo2rv.fblb9ikOSo3-iaUTOcZssu4.WXwE5HGqClhEC4GkcOy-3w',1795768949066);
CREATE TABLE IF NOT EXISTS "projects" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "repo_url" text not null, "name" text not null, "created_at" bigint not null, constraint "projects_once" unique ("user_id", "repo_url"));
INSERT INTO projects VALUES('1b45aa3a-fcb4-4eae-afb9-669bdd160594','usr_ada','https://github.com/acme/engine.git','Engine',1795768949075);
CREATE TABLE IF NOT EXISTS "tasks" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "client_id" text, "repo_url" text not null, "base_branch" text, "branch" text not null, "prompt" text not null, "model" text not null, "budget_usd" double precision not null, "demo" integer not null, "status" text not null, "reason" text, "error" text, "turn" integer not null, "attempt" integer not null, "last_seq" integer not null, "released_at" bigint, "cancel_requested_at" bigint, "pull_request_url" text, "input_tokens" bigint default 0 not null, "output_tokens" bigint default 0 not null, "cache_read_tokens" bigint default 0 not null, "cache_write_tokens" bigint default 0 not null, "cost_usd" double precision default 0 not null, "created_at" bigint not null, "started_at" bigint, "completed_at" bigint, "message_id" text, "diff_files" integer, "diff_insertions" integer, "diff_deletions" integer, constraint "tasks_sent_once" unique ("user_id", "client_id"));
INSERT INTO tasks VALUES('tsk_yxs5zfogkqbha2r3','usr_ada','client-1','https://github.com/acme/engine',NULL,'errand/tsk_yxs5zfogkqbha2r3/add-a-french-greeting','Add a French greeting','claude-opus-5-5',5.0,1,'completed','done',NULL,1,1,14,NULL,NULL,NULL,120,30,900,40,0.25,1795768948453,1795768948505,1795768948644,'d3771b12-c7ea-4cdf-9068-6094ea9cfd46',1,3,1);
INSERT INTO tasks VALUES('tsk_n2eochmuswtmp23n','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_n2eochmuswtmp23n/fix-the-failing-test','Fix the failing test','claude-opus-5-5',5.0,1,'pending','host_disk_full',NULL,1,1,4,1795768948680,NULL,NULL,0,0,0,0,0.0,1795768948664,1795768948712,NULL,'15ccb0d0-fcf5-4c06-bb96-fe3ee8bf59e9',NULL,NULL,NULL);
INSERT INTO tasks VALUES('tsk_w2r3hqnirm345nnb','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_w2r3hqnirm345nnb/look-around','Look around','claude-opus-5-5',5.0,1,'running',NULL,NULL,1,1,5,1795768948761,NULL,NULL,0,0,0,0,0.0,1795768948751,1795768948803,NULL,'77b6e4a3-8ff9-4e07-88ca-02082c1366b8',NULL,NULL,NULL);
INSERT INTO tasks VALUES('tsk_n27vzmqn6wo7j4nj','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_n27vzmqn6wo7j4nj/never-mind','Never mind','claude-opus-5-5',5.0,1,'cancelled','cancelled_by_user',NULL,1,0,3,NULL,NULL,NULL,0,0,0,0,0.0,1795768948854,NULL,1795768948864,'f2447d79-ec43-4e8b-996d-34f596230809',NULL,NULL,NULL);
INSERT INTO tasks VALUES('tsk_mouzus3tfwr5evuy','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_mouzus3tfwr5evuy/document-its-use','Document its use','claude-opus-5-5',5.0,1,'pending','no_runner',NULL,1,0,2,1795768948918,NULL,NULL,0,0,0,0,0.0,1795768948907,NULL,NULL,'5593bd03-a95a-417e-af44-eea40e661615',NULL,NULL,NULL);
CREATE TABLE IF NOT EXISTS "attempts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "turn" integer not null, "runner_id" text not null, "runner_name" text not null, "last_n" integer not null, "lease_until" bigint not null, "started_at" bigint not null, "ended_at" bigint, "outcome" text, "reason" text, constraint "attempts_pk" primary key ("task_id", "attempt"));
INSERT INTO attempts VALUES('tsk_yxs5zfogkqbha2r3',1,1,'runner-a','A',10,1795768978505,1795768948505,1795768948644,'completed','done');
INSERT INTO attempts VALUES('tsk_n2eochmuswtmp23n',1,1,'runner-a','A',1,1795768978712,1795768948712,1795768948734,'interrupted','host_disk_full');
INSERT INTO attempts VALUES('tsk_w2r3hqnirm345nnb',1,1,'runner-a','A',1,1795768978803,1795768948803,NULL,NULL,NULL);
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
INSERT INTO events VALUES(1,'tsk_yxs5zfogkqbha2r3',1,0,NULL,'task.created',1795768948453,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(2,'tsk_yxs5zfogkqbha2r3',2,0,NULL,'message.received',1795768948453,'{"messageId":"d3771b12-c7ea-4cdf-9068-6094ea9cfd46","turn":1,"text":"Add a French greeting","mode":null,"clientId":"client-1"}');
INSERT INTO events VALUES(3,'tsk_yxs5zfogkqbha2r3',3,1,NULL,'attempt.started',1795768948505,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(4,'tsk_yxs5zfogkqbha2r3',4,1,1,'sandbox.ready',1795768948521,'{"node":"v20.20.0"}');
INSERT INTO events VALUES(5,'tsk_yxs5zfogkqbha2r3',5,1,2,'repo.cloned',1795768948527,'{"baseBranch":"main","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","branch":"errand/tsk_yxs5zfogkqbha2r3/add-a-french-greeting","resumed":false}');
INSERT INTO events VALUES(6,'tsk_yxs5zfogkqbha2r3',6,1,3,'turn.started',1795768948531,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(7,'tsk_yxs5zfogkqbha2r3',7,1,4,'text.written',1795768948533,'{"text":"I look at the greetings first."}');
INSERT INTO events VALUES(8,'tsk_yxs5zfogkqbha2r3',8,1,5,'tool.started',1795768948553,'{"callId":"call_1","name":"bash","title":"npm test","input":{"command":"npm test"}}');
INSERT INTO events VALUES(9,'tsk_yxs5zfogkqbha2r3',9,1,6,'tool.ended',1795768948555,'{"callId":"call_1","name":"bash","ok":true,"output":"exit_code: 0\nwall_time: 1.2s\nok","outputBytes":2,"exitCode":0,"durationMs":1200}');
INSERT INTO events VALUES(10,'tsk_yxs5zfogkqbha2r3',10,1,7,'usage.counted',1795768948556,'{"inputTokens":120,"outputTokens":30,"cacheReadTokens":900,"cacheWriteTokens":40,"costUsd":0.25,"model":"claude-opus-5-5","estimated":false}');
INSERT INTO events VALUES(11,'tsk_yxs5zfogkqbha2r3',11,1,8,'branch.pushed',1795768948558,'{"branch":"errand/tsk_yxs5zfogkqbha2r3/add-a-french-greeting","commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}');
INSERT INTO events VALUES(12,'tsk_yxs5zfogkqbha2r3',12,1,9,'turn.ended',1795768948564,'{"turn":1,"outcome":"completed","reason":"done","summary":"A greeting was added.","message":null,"diff":{"files":1,"insertions":3,"deletions":1}}');
INSERT INTO events VALUES(13,'tsk_yxs5zfogkqbha2r3',13,1,10,'attempt.ended',1795768948634,'{"outcome":"completed","reason":"done","message":null}');
INSERT INTO events VALUES(14,'tsk_yxs5zfogkqbha2r3',14,0,NULL,'task.ended',1795768948644,'{"turn":1,"status":"completed","reason":"done","message":null,"branch":"errand/tsk_yxs5zfogkqbha2r3/add-a-french-greeting"}');
INSERT INTO events VALUES(15,'tsk_n2eochmuswtmp23n',1,0,NULL,'task.created',1795768948664,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(16,'tsk_n2eochmuswtmp23n',2,0,NULL,'message.received',1795768948664,'{"messageId":"15ccb0d0-fcf5-4c06-bb96-fe3ee8bf59e9","turn":1,"text":"Fix the failing test","mode":null,"clientId":null}');
INSERT INTO events VALUES(17,'tsk_n2eochmuswtmp23n',3,1,NULL,'attempt.started',1795768948712,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(18,'tsk_n2eochmuswtmp23n',4,1,1,'attempt.ended',1795768948724,'{"outcome":"interrupted","reason":"host_disk_full","message":null}');
INSERT INTO events VALUES(19,'tsk_w2r3hqnirm345nnb',1,0,NULL,'task.created',1795768948751,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(20,'tsk_w2r3hqnirm345nnb',2,0,NULL,'message.received',1795768948751,'{"messageId":"77b6e4a3-8ff9-4e07-88ca-02082c1366b8","turn":1,"text":"Look around","mode":null,"clientId":null}');
INSERT INTO events VALUES(21,'tsk_w2r3hqnirm345nnb',3,1,NULL,'attempt.started',1795768948803,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(22,'tsk_w2r3hqnirm345nnb',4,1,1,'turn.started',1795768948807,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(23,'tsk_w2r3hqnirm345nnb',5,0,NULL,'message.received',1795768948834,'{"messageId":"d8fffde0-de22-49f2-9a2c-6b34743f740f","turn":1,"text":"Keep it short.","mode":"steer","clientId":"client-2"}');
INSERT INTO events VALUES(24,'tsk_n27vzmqn6wo7j4nj',1,0,NULL,'task.created',1795768948854,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(25,'tsk_n27vzmqn6wo7j4nj',2,0,NULL,'message.received',1795768948854,'{"messageId":"f2447d79-ec43-4e8b-996d-34f596230809","turn":1,"text":"Never mind","mode":null,"clientId":null}');
INSERT INTO events VALUES(26,'tsk_n27vzmqn6wo7j4nj',3,0,NULL,'task.ended',1795768948864,'{"turn":1,"status":"cancelled","reason":"cancelled_by_user","message":null,"branch":null}');
INSERT INTO events VALUES(27,'tsk_mouzus3tfwr5evuy',1,0,NULL,'task.created',1795768948907,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(28,'tsk_mouzus3tfwr5evuy',2,0,NULL,'message.received',1795768948907,'{"messageId":"5593bd03-a95a-417e-af44-eea40e661615","turn":1,"text":"Document its use","mode":null,"clientId":null}');
CREATE TABLE IF NOT EXISTS "artifacts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "kind" text not null, "bytes" bigint not null, "created_at" bigint not null, constraint "artifacts_pk" primary key ("task_id", "attempt", "kind"));
INSERT INTO artifacts VALUES('tsk_yxs5zfogkqbha2r3',1,'transcript',3,1795768948621);
CREATE TABLE IF NOT EXISTS "runners" ("id" text primary key, "name" text not null, "slots" integer not null, "seen_at" bigint not null);
INSERT INTO runners VALUES('runner-a','A',1,1);
CREATE TABLE IF NOT EXISTS "inbox" ("id" text primary key, "task_id" text not null references "tasks" ("id") on delete cascade, "client_id" text, "seq" integer not null, "text" text not null, "mode" text, "state" text not null, "turn" integer, "created_at" bigint not null, "delivered_at" bigint, constraint "inbox_sent_once" unique ("task_id", "client_id"), constraint "inbox_in_order" unique ("task_id", "seq"));
INSERT INTO inbox VALUES('d3771b12-c7ea-4cdf-9068-6094ea9cfd46','tsk_yxs5zfogkqbha2r3','client-1',2,'Add a French greeting',NULL,'delivered',1,1795768948453,1795768948505);
INSERT INTO inbox VALUES('15ccb0d0-fcf5-4c06-bb96-fe3ee8bf59e9','tsk_n2eochmuswtmp23n',NULL,2,'Fix the failing test',NULL,'delivered',1,1795768948664,1795768948712);
INSERT INTO inbox VALUES('77b6e4a3-8ff9-4e07-88ca-02082c1366b8','tsk_w2r3hqnirm345nnb',NULL,2,'Look around',NULL,'delivered',1,1795768948751,1795768948803);
INSERT INTO inbox VALUES('d8fffde0-de22-49f2-9a2c-6b34743f740f','tsk_w2r3hqnirm345nnb','client-2',5,'Keep it short.','steer','waiting',NULL,1795768948834,NULL);
INSERT INTO inbox VALUES('f2447d79-ec43-4e8b-996d-34f596230809','tsk_n27vzmqn6wo7j4nj',NULL,2,'Never mind',NULL,'withdrawn',NULL,1795768948854,NULL);
INSERT INTO inbox VALUES('5593bd03-a95a-417e-af44-eea40e661615','tsk_mouzus3tfwr5evuy',NULL,2,'Document its use',NULL,'waiting',NULL,1795768948907,NULL);
CREATE TABLE IF NOT EXISTS "push_subscriptions" ("endpoint" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "device_id" text not null, "p256dh" text not null, "auth" text not null, "created_at" bigint not null);
INSERT INTO push_subscriptions VALUES('https://push.example.com/1','usr_ada','device_1','BPx','abc',1795768949095);
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
