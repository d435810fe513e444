BEGIN TRANSACTION;
CREATE TABLE attention (
    id INTEGER PRIMARY KEY, sync TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL,
    since TEXT NOT NULL, owner TEXT NOT NULL DEFAULT '', closed TEXT
);
CREATE TABLE audit (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, token TEXT NOT NULL, event TEXT NOT NULL,
    sync TEXT NOT NULL, key TEXT NOT NULL, facts TEXT NOT NULL, hash TEXT NOT NULL
);
INSERT INTO "audit" VALUES(1,'2026-03-02T08:00:00+00:00','old','','lease','s','','{"token":"1-c733f3d52b36170521b99ad0","worker":"vm:8477"}','f3187a690d6ba550f052b5415450213e2a0a482001864bf05cc120d7c1a6ba5c');
INSERT INTO "audit" VALUES(2,'2026-03-02T08:00:00+00:00','old','1-c733f3d52b36170521b99ad0','poll','s','','{"documents":3,"last":true,"rejected":0}','ce0bc66bfe5e5b75aa3bb2ab70aca28f825ea5684754d120eafe9dc049060bda');
INSERT INTO "audit" VALUES(3,'2026-03-02T08:00:00+00:00','old','1-c733f3d52b36170521b99ad0','recorded','s','a','{"fingerprint":"254fae2646deec4890409ebb2e6d0ff04e285440f0d1c112f64236403edd5fe7","revision":1,"stamp":"2026-03-02 08:00:00+00:00"}','096e0d61145952be003c6deb2c4955255523b09674e94671e9611619888406ea');
INSERT INTO "audit" VALUES(4,'2026-03-02T08:00:00+00:00','old','1-c733f3d52b36170521b99ad0','recorded','s','b','{"fingerprint":"627182d63bf474ff1d2efa8973d9f44580a0fde5440e96320cff35141c8d6d35","revision":1,"stamp":"2026-03-02 08:00:00+00:00"}','da75342b2ca05474a0d867346c4d03a7d9d98581536a231a0e837c89df8c647b');
INSERT INTO "audit" VALUES(5,'2026-03-02T08:00:00+00:00','old','1-c733f3d52b36170521b99ad0','intent','s','a','{"action":"create","attempt":1,"marker":"a-1-1","numbers":[1,1],"partner":"model","payload_sha256":"94c2fddd332ec57ac30d413bf37b30e764425c9ae6f0c772c1e009e68bf5da26","revision":1,"step":null}','2d0c447719230114be586693af3fabe2bcd65a73e221784b1749cf482b9d7e4a');
INSERT INTO "audit" VALUES(6,'2026-03-02T08:00:00+00:00','old','1-c733f3d52b36170521b99ad0','delivered','s','a','{"existing":false,"how":"answer","id":"a","pending":false,"revision":1,"said":{"step":null}}','bc5f75d0aad0b6a10eac9b5a6fea3e8b727510833cda299e9003970076d58c40');
INSERT INTO "audit" VALUES(7,'2026-03-02T08:00:00+00:00','old','1-c733f3d52b36170521b99ad0','intent','s','b','{"action":"create","attempt":1,"marker":"b-1-2","numbers":[2,2],"partner":"model","payload_sha256":"e4a7e6d5b637c685dbb2e1f6a51a414fb02920eec6dc4044df9d7ba5d4f54b8b","revision":1,"step":null}','4d44cec60e81687d09c9aef6b252504a8149bc69a69d2a34d648d38ccb60cfd7');
INSERT INTO "audit" VALUES(8,'2026-03-02T08:00:00+00:00','old','1-c733f3d52b36170521b99ad0','delivered','s','b','{"existing":false,"how":"answer","id":"b","pending":false,"revision":1,"said":{"step":null}}','d450e9639c8f63c66e9b6a30e3c6f22d343c70b12f5c7732a1b8d26e6ef7129c');
INSERT INTO "audit" VALUES(9,'2026-03-02T09:00:00+00:00','old','','lease','s','','{"token":"1-1786882d05caf49b003603b8","worker":"vm:8477"}','12f515dd26e22a737199638ad081bbf8738bbf40e10b537c7b70fe0e770cb8cd');
INSERT INTO "audit" VALUES(10,'2026-03-02T09:00:00+00:00','old','1-1786882d05caf49b003603b8','poll','s','','{"documents":1,"last":true,"rejected":0}','d8007ea5fd2e40c118e15a22455385342bcd1bd248204ab8432a30c4100f192f');
INSERT INTO "audit" VALUES(11,'2026-03-02T09:00:00+00:00','old','1-1786882d05caf49b003603b8','poll','s','','{"documents":1,"last":true,"rejected":0}','21282121fd85cd959da450cc85bbced4b4d6552d73f8fbe47d795dbd8ac009d5');
INSERT INTO "audit" VALUES(12,'2026-03-02T09:00:00+00:00','old','1-1786882d05caf49b003603b8','recorded','s','a','{"fingerprint":"d6c8b1d6ff20d621c08756d11f0369ba66d0868b9649afd6d96552d108304e5c","revision":2,"stamp":"2026-03-02 09:00:00+00:00"}','0381820db26d2d97e4ba61e1e78fa7d51c85bf436b263820f79b253f06c4b09c');
INSERT INTO "audit" VALUES(13,'2026-03-02T09:00:00+00:00','old','1-1786882d05caf49b003603b8','intent','s','a','{"action":"change","attempt":1,"marker":"a-2-3","numbers":[3,3],"partner":"model","payload_sha256":"c860c73f244b3c156ea15fc2c978279343db0d36b261098b959acfc05d09818f","revision":2,"step":null}','a58353283b80c8a7509bcc167e98038960b9acb3e09d290f1513c57b003edbd4');
INSERT INTO "audit" VALUES(14,'2026-03-02T09:00:00+00:00','old','1-1786882d05caf49b003603b8','in doubt','s','a','{"revision":2,"why":"no answer"}','c076a9163acc4a67cf572ed9420e13896be002b001a1f79b91c9f08bb072a374');
INSERT INTO "audit" VALUES(15,'2026-03-02T09:00:00+00:00','old','','crosswalk','','','{"by":"jane","facts_kind":"supplier","linked":{"coupa":"128","jdedwards":"4343"},"reason":"same"}','05921f1e2282b10d6a9838348a65ecbceec02cbf4cd19de0c7d23e97928b90f4');
CREATE TABLE bindings (
    flow TEXT NOT NULL, system TEXT NOT NULL, origin TEXT NOT NULL, PRIMARY KEY (flow, system)
) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, taken INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "counters" VALUES('crosswalk:supplier',1);
INSERT INTO "counters" VALUES('group',3);
INSERT INTO "counters" VALUES('interchange',3);
CREATE TABLE crosswalk (
    kind TEXT NOT NULL, system TEXT NOT NULL, id TEXT NOT NULL, link INTEGER NOT NULL, PRIMARY KEY (kind, system, id)
) WITHOUT ROWID;
INSERT INTO "crosswalk" VALUES('supplier','coupa','128',1);
INSERT INTO "crosswalk" VALUES('supplier','jdedwards','4343',1);
CREATE TABLE cursors (sync TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "cursors" VALUES('s','{"v": 1, "system": "model", "kind": "suppliers", "filters": "44136fa355b3678a", "floor": null, "watermark": "2026-03-02T09:00:00+00:00", "pass": null, "seen": {"a": ["d6c8b1d6ff20d621", 1772442000.0], "b": ["627182d63bf474ff", 1772438400.0], "w": ["5fe1cfd3b5e3c44e", 1772438400.0]}}');
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, sync TEXT NOT NULL, usage TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
    revision INTEGER NOT NULL, content TEXT NOT NULL, fingerprint TEXT NOT NULL, stamp TEXT, document TEXT NOT NULL,
    state TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '', faults TEXT NOT NULL DEFAULT '[]',
    cause TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', action TEXT NOT NULL DEFAULT '',
    sequence INTEGER NOT NULL DEFAULT 0, attempt INTEGER NOT NULL DEFAULT 0, forced INTEGER NOT NULL DEFAULT 0,
    step TEXT, steps TEXT NOT NULL DEFAULT '[]', done TEXT NOT NULL DEFAULT '[]',
    payload BLOB, payload_form TEXT NOT NULL DEFAULT '', marker TEXT, interchange INTEGER, control_group INTEGER,
    counters TEXT NOT NULL DEFAULT '', target_id TEXT, token TEXT NOT NULL DEFAULT '',
    settle_at REAL, doubtful_since REAL, described TEXT NOT NULL DEFAULT '{}',
    recorded_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    UNIQUE (sync, usage, key, revision)
);
INSERT INTO "deliveries" VALUES(1,'s','','suppliers','a',1,'one','254fae2646deec4890409ebb2e6d0ff04e285440f0d1c112f64236403edd5fe7','2026-03-02T08:00:00+00:00','{"document":"Supplier","version":1,"provenance":{"system":"model","kind":"suppliers","key":"a","updated_at":"2026-03-02T08:00:00+00:00"},"number":"a","name":"one"}','delivered','','[]','','','create',0,1,0,NULL,'[]','[]',X'6F6E657C317C31','text','a-1-1',1,1,'["interchange", "group"]','a','1-c733f3d52b36170521b99ad0',1772439060.0,NULL,'{"partner": "model"}','2026-03-02T08:00:00+00:00','2026-03-02T08:00:00+00:00');
INSERT INTO "deliveries" VALUES(2,'s','','suppliers','b',1,'two','627182d63bf474ff1d2efa8973d9f44580a0fde5440e96320cff35141c8d6d35','2026-03-02T08:00:00+00:00','{"document":"Supplier","version":1,"provenance":{"system":"model","kind":"suppliers","key":"b","updated_at":"2026-03-02T08:00:00+00:00"},"number":"b","name":"two"}','delivered','','[]','','','create',0,1,0,NULL,'[]','[]',X'74776F7C327C32','text','b-1-2',2,2,'["interchange", "group"]','b','1-c733f3d52b36170521b99ad0',1772439060.0,NULL,'{"partner": "model"}','2026-03-02T08:00:00+00:00','2026-03-02T08:00:00+00:00');
INSERT INTO "deliveries" VALUES(3,'s','','suppliers','a',2,'one again','d6c8b1d6ff20d621c08756d11f0369ba66d0868b9649afd6d96552d108304e5c','2026-03-02T09:00:00+00:00','{"document":"Supplier","version":1,"provenance":{"system":"model","kind":"suppliers","key":"a","updated_at":"2026-03-02T09:00:00+00:00"},"number":"a","name":"one again"}','in doubt','','["no answer"]','','','change',1,1,0,NULL,'[]','[]',X'6F6E6520616761696E7C337C33','text','a-2-3',3,3,'["interchange", "group"]','a','1-1786882d05caf49b003603b8',1772442660.0,1772442000.0,'{"partner": "model"}','2026-03-02T09:00:00+00:00','2026-03-02T09:00:00+00:00');
CREATE TABLE heads (
    sync TEXT NOT NULL, usage TEXT NOT NULL, key TEXT NOT NULL,
    latest INTEGER NOT NULL, latest_content TEXT NOT NULL,
    base INTEGER NOT NULL DEFAULT 0, base_content TEXT, target_id TEXT, sequence INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sync, usage, key)
) WITHOUT ROWID;
INSERT INTO "heads" VALUES('s','','a',2,'one again',1,'one','a',1);
INSERT INTO "heads" VALUES('s','','b',1,'two',1,'two','b',0);
CREATE TABLE leases (
    sync TEXT PRIMARY KEY, token TEXT NOT NULL, worker TEXT NOT NULL, expires REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('epoch','1');
INSERT INTO "meta" VALUES('ledger','01b64c594784d154422079b29536b4de');
CREATE TABLE waiting (
    sync TEXT NOT NULL, key TEXT NOT NULL, reasons TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (sync, key)
) WITHOUT ROWID;
INSERT INTO "waiting" VALUES('s','w','["hold"]','2026-03-02T08:00:00+00:00');
CREATE INDEX deliveries_by_state ON deliveries (sync, state);
CREATE INDEX deliveries_by_key ON deliveries (key);
CREATE INDEX crosswalk_by_link ON crosswalk (kind, link);
CREATE INDEX audit_by_key ON audit (key);
COMMIT;
PRAGMA user_version=1;
