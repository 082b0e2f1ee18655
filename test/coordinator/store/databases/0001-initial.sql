PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
INSERT INTO kysely_migration VALUES('0001-initial','2026-11-27T08:42:05.029Z');
CREATE TABLE IF NOT EXISTS "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
INSERT INTO kysely_migration_lock VALUES('migration_lock',0);
CREATE TABLE IF NOT EXISTS "users" ("id" text primary key, "identity" text not null unique, "name" text not null, "avatar_url" text, "admin" integer not null, "github_token" text, "last_released_at" bigint not null, "created_at" bigint not null);
INSERT INTO users VALUES('usr_ada','test:ada','ada',NULL,0,NULL,1795768926024,1795768925163);
INSERT INTO users VALUES('475d00ef-696f-4698-ae79-8df4ef1bff08','local:owner','owner',NULL,1,NULL,0,1795768926315);
INSERT INTO users VALUES('12ae1d73-cd4a-4ff2-a80a-6466a45c3549','github:42','grace',NULL,0,'v1.5d2eaeff.xWjxLoe44fwAAWMG.J3ja1UqXJBaux-KNqIr-.MiP25ullOe8Yjc0pmn2ZGQ',0,1795768926323);
CREATE TABLE IF NOT EXISTS "sessions" ("id" text primary key, "user_id" text references "users" ("id") on delete cascade, "data" text not null, "expires_at" bigint not null);
INSERT INTO sessions VALUES('session_1','usr_ada','{"cookie":{"originalMaxAge":1209600000,"expires":"2099-01-01T00:00:00.000Z","httpOnly":true,"sameSite":"lax","path":"/","secure":false},"passport":{"user":"usr_ada"},"device":{"name":"Chrome on Android","signedInAt":"2026-11-21T09:00:00.000Z"}}',4070908800000);
CREATE TABLE IF NOT EXISTS "api_tokens" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "name" text not null, "token_hash" text not null unique, "created_at" bigint not null, "last_used_at" bigint);
INSERT INTO api_tokens VALUES('26969a15-8a9d-44c5-82b7-015e42974d72','475d00ef-696f-4698-ae79-8df4ef1bff08','The machine that runs this server','63e39c1a166454f479ebda03f35490ecf56d94d3ccc9a54f9f3d4938713d0475',1795768926379,NULL);
CREATE TABLE IF NOT EXISTS "sign_in_links" ("code_hash" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "expires_at" bigint not null);
INSERT INTO sign_in_links VALUES('3a45ad037ecfea785d894fc72e8ee8e5f2daf36791845c226e0bd495da86075c','475d00ef-696f-4698-ae79-8df4ef1bff08',1795769526417);
CREATE TABLE IF NOT EXISTS "credentials" ("user_id" text not null references "users" ("id") on delete cascade, "host" text not null, "username" text, "token" text not null, "created_at" bigint not null, constraint "credentials_pk" primary key ("user_id", "host"));
INSERT INTO credentials VALUES('usr_ada','git.example.com','ada','v1.5d2eaeff.cgGbqHu1bGJUoVbS.GsYOC_MDobVI5oRr5PWaz2Y.-VEZeurC_VKQ6ZNTZmGTCw',1795768926446);
CREATE TABLE IF NOT EXISTS "projects" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "repo_url" text not null, "name" text not null, "created_at" bigint not null, constraint "projects_once" unique ("user_id", "repo_url"));
INSERT INTO projects VALUES('7121047a-827a-48c5-af68-6be0b91e1423','usr_ada','https://github.com/acme/engine.git','Engine',1795768926465);
CREATE TABLE IF NOT EXISTS "tasks" ("id" text primary key, "user_id" text not null references "users" ("id") on delete cascade, "client_id" text, "repo_url" text not null, "base_branch" text, "branch" text not null, "prompt" text not null, "model" text not null, "budget_usd" double precision not null, "demo" integer not null, "status" text not null, "reason" text, "error" text, "turn" integer not null, "attempt" integer not null, "last_seq" integer not null, "released_at" bigint, "cancel_requested_at" bigint, "pull_request_url" text, "input_tokens" bigint default 0 not null, "output_tokens" bigint default 0 not null, "cache_read_tokens" bigint default 0 not null, "cache_write_tokens" bigint default 0 not null, "cost_usd" double precision default 0 not null, "created_at" bigint not null, "started_at" bigint, "completed_at" bigint, constraint "tasks_sent_once" unique ("user_id", "client_id"));
INSERT INTO tasks VALUES('tsk_b4pmy7uwzmgunabv','usr_ada','client-1','https://github.com/acme/engine',NULL,'errand/tsk_b4pmy7uwzmgunabv/add-a-french-greeting','Add a French greeting','claude-opus-5-5',5.0,1,'completed','done',NULL,1,1,14,NULL,NULL,NULL,120,30,900,40,0.25,1795768925173,1795768925209,1795768925569);
INSERT INTO tasks VALUES('tsk_4yjrm2wl6izic6yv','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_4yjrm2wl6izic6yv/fix-the-failing-test','Fix the failing test','claude-opus-5-5',5.0,1,'pending','host_disk_full',NULL,1,1,4,1795768925613,NULL,NULL,0,0,0,0,0.0,1795768925609,1795768925673,NULL);
INSERT INTO tasks VALUES('tsk_jmtdtd2l6pqm5ij3','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_jmtdtd2l6pqm5ij3/look-around','Look around','claude-opus-5-5',5.0,1,'running',NULL,NULL,1,1,4,1795768925812,NULL,NULL,0,0,0,0,0.0,1795768925788,1795768925881,NULL);
INSERT INTO tasks VALUES('tsk_4gmupf6etsnrvdmn','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_4gmupf6etsnrvdmn/never-mind','Never mind','claude-opus-5-5',5.0,1,'cancelled','cancelled_by_user',NULL,1,0,3,NULL,NULL,NULL,0,0,0,0,0.0,1795768925953,NULL,1795768925970);
INSERT INTO tasks VALUES('tsk_ciuulgkhhprymelv','usr_ada',NULL,'https://github.com/acme/engine',NULL,'errand/tsk_ciuulgkhhprymelv/document-its-use','Document its use','claude-opus-5-5',5.0,1,'pending','no_runner',NULL,1,0,2,1795768926024,NULL,NULL,0,0,0,0,0.0,1795768926016,NULL,NULL);
CREATE TABLE IF NOT EXISTS "attempts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "turn" integer not null, "runner_id" text not null, "runner_name" text not null, "last_n" integer not null, "lease_until" bigint not null, "started_at" bigint not null, "ended_at" bigint, "outcome" text, "reason" text, constraint "attempts_pk" primary key ("task_id", "attempt"));
INSERT INTO attempts VALUES('tsk_b4pmy7uwzmgunabv',1,1,'runner-a','A',10,1795768955209,1795768925209,1795768925569,'completed','done');
INSERT INTO attempts VALUES('tsk_4yjrm2wl6izic6yv',1,1,'runner-a','A',1,1795768955673,1795768925673,1795768925765,'interrupted','host_disk_full');
INSERT INTO attempts VALUES('tsk_jmtdtd2l6pqm5ij3',1,1,'runner-a','A',1,1795768955881,1795768925881,NULL,NULL,NULL);
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
INSERT INTO events VALUES(1,'tsk_b4pmy7uwzmgunabv',1,0,NULL,'task.created',1795768925173,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(2,'tsk_b4pmy7uwzmgunabv',2,0,NULL,'message.received',1795768925173,'{"messageId":"9908024c-b45b-47dc-8bbb-f7df727e7113","turn":1,"text":"Add a French greeting","clientId":"client-1"}');
INSERT INTO events VALUES(3,'tsk_b4pmy7uwzmgunabv',3,1,NULL,'attempt.started',1795768925209,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(4,'tsk_b4pmy7uwzmgunabv',4,1,1,'sandbox.ready',1795768925230,'{"node":"v20.20.0"}');
INSERT INTO events VALUES(5,'tsk_b4pmy7uwzmgunabv',5,1,2,'repo.cloned',1795768925236,'{"baseBranch":"main","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","branch":"errand/tsk_b4pmy7uwzmgunabv/add-a-french-greeting","resumed":false}');
INSERT INTO events VALUES(6,'tsk_b4pmy7uwzmgunabv',6,1,3,'turn.started',1795768925242,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(7,'tsk_b4pmy7uwzmgunabv',7,1,4,'text.written',1795768925243,'{"text":"I look at the greetings first."}');
INSERT INTO events VALUES(8,'tsk_b4pmy7uwzmgunabv',8,1,5,'tool.started',1795768925278,'{"callId":"call_1","name":"bash","title":"npm test","input":{"command":"npm test"}}');
INSERT INTO events VALUES(9,'tsk_b4pmy7uwzmgunabv',9,1,6,'tool.ended',1795768925283,'{"callId":"call_1","name":"bash","ok":true,"output":"exit_code: 0\nwall_time: 1.2s\nok","outputBytes":2,"exitCode":0,"durationMs":1200}');
INSERT INTO events VALUES(10,'tsk_b4pmy7uwzmgunabv',10,1,7,'usage.counted',1795768925298,'{"inputTokens":120,"outputTokens":30,"cacheReadTokens":900,"cacheWriteTokens":40,"costUsd":0.25,"model":"claude-opus-5-5","estimated":false}');
INSERT INTO events VALUES(11,'tsk_b4pmy7uwzmgunabv',11,1,8,'branch.pushed',1795768925342,'{"branch":"errand/tsk_b4pmy7uwzmgunabv/add-a-french-greeting","commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}');
INSERT INTO events VALUES(12,'tsk_b4pmy7uwzmgunabv',12,1,9,'turn.ended',1795768925345,'{"turn":1,"outcome":"completed","reason":"done","summary":"A greeting was added.","message":null,"diff":{"files":1,"insertions":3,"deletions":1}}');
INSERT INTO events VALUES(13,'tsk_b4pmy7uwzmgunabv',13,1,10,'attempt.ended',1795768925508,'{"outcome":"completed","reason":"done","message":null}');
INSERT INTO events VALUES(14,'tsk_b4pmy7uwzmgunabv',14,0,NULL,'task.ended',1795768925569,'{"turn":1,"status":"completed","reason":"done","message":null,"branch":"errand/tsk_b4pmy7uwzmgunabv/add-a-french-greeting"}');
INSERT INTO events VALUES(15,'tsk_4yjrm2wl6izic6yv',1,0,NULL,'task.created',1795768925609,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(16,'tsk_4yjrm2wl6izic6yv',2,0,NULL,'message.received',1795768925609,'{"messageId":"890917df-1b2b-448f-9afc-e8e642ff40f4","turn":1,"text":"Fix the failing test","clientId":null}');
INSERT INTO events VALUES(17,'tsk_4yjrm2wl6izic6yv',3,1,NULL,'attempt.started',1795768925673,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(18,'tsk_4yjrm2wl6izic6yv',4,1,1,'attempt.ended',1795768925696,'{"outcome":"interrupted","reason":"host_disk_full","message":null}');
INSERT INTO events VALUES(19,'tsk_jmtdtd2l6pqm5ij3',1,0,NULL,'task.created',1795768925788,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(20,'tsk_jmtdtd2l6pqm5ij3',2,0,NULL,'message.received',1795768925788,'{"messageId":"c6535ed9-ad4f-401d-b123-a8694bbd6e59","turn":1,"text":"Look around","clientId":null}');
INSERT INTO events VALUES(21,'tsk_jmtdtd2l6pqm5ij3',3,1,NULL,'attempt.started',1795768925881,'{"turn":1,"runner":"A"}');
INSERT INTO events VALUES(22,'tsk_jmtdtd2l6pqm5ij3',4,1,1,'turn.started',1795768925903,'{"turn":1,"model":"claude-opus-5-5"}');
INSERT INTO events VALUES(23,'tsk_4gmupf6etsnrvdmn',1,0,NULL,'task.created',1795768925953,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(24,'tsk_4gmupf6etsnrvdmn',2,0,NULL,'message.received',1795768925953,'{"messageId":"806ac012-e027-4c76-9996-08138cda8aa5","turn":1,"text":"Never mind","clientId":null}');
INSERT INTO events VALUES(25,'tsk_4gmupf6etsnrvdmn',3,0,NULL,'task.ended',1795768925970,'{"turn":1,"status":"cancelled","reason":"cancelled_by_user","message":null,"branch":null}');
INSERT INTO events VALUES(26,'tsk_ciuulgkhhprymelv',1,0,NULL,'task.created',1795768926016,'{"repoUrl":"https://github.com/acme/engine","baseBranch":null,"model":"claude-opus-5-5","budgetUsd":5,"demo":true}');
INSERT INTO events VALUES(27,'tsk_ciuulgkhhprymelv',2,0,NULL,'message.received',1795768926016,'{"messageId":"60b38671-3bda-4830-a162-cbf34e75a4dc","turn":1,"text":"Document its use","clientId":null}');
CREATE TABLE IF NOT EXISTS "artifacts" ("task_id" text not null references "tasks" ("id") on delete cascade, "attempt" integer not null, "kind" text not null, "bytes" bigint not null, "created_at" bigint not null, constraint "artifacts_pk" primary key ("task_id", "attempt", "kind"));
INSERT INTO artifacts VALUES('tsk_b4pmy7uwzmgunabv',1,'transcript',3,1795768925450);
CREATE TABLE IF NOT EXISTS "runners" ("id" text primary key, "name" text not null, "slots" integer not null, "seen_at" bigint not null);
INSERT INTO runners VALUES('runner-a','A',1,1);
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
COMMIT;
