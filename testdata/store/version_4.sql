-- A database of the present schema version, 4 (`sqlite3 FILE .dump`).  Once released it does not change any more.
PRAGMA application_id = 1397637456;
PRAGMA user_version = 4;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE run(
    id            INTEGER PRIMARY KEY,
    host          TEXT,
    pid           INTEGER,
    start_time_ns INTEGER,
    program       TEXT,
    command       TEXT
);
INSERT INTO run VALUES(1,'box',42,NULL,'server','./server -v');
CREATE TABLE snapshot(
    id               INTEGER PRIMARY KEY,
    run_id           INTEGER NOT NULL REFERENCES run(id),
    digest           INTEGER NOT NULL UNIQUE,
    path             TEXT,
    seq              INTEGER,
    time_ns          INTEGER,
    mono_ns          INTEGER,
    label            TEXT,
    "trigger"        TEXT,
    sample_period    INTEGER NOT NULL,
    sites            INTEGER NOT NULL,
    live_bytes       INTEGER,
    live_blocks      INTEGER,
    allocated_bytes  INTEGER,
    allocated_blocks INTEGER
);
INSERT INTO snapshot VALUES(1,1,-2839544822287797253,'testdata/store/first.txt',1,1767323045000000001,NULL,'before',NULL,0,3,1964,20,NULL,NULL);
INSERT INTO snapshot VALUES(2,1,-8285311020861453065,'testdata/store/second.txt',2,1767323046000000002,NULL,'after',NULL,0,2,1850,19,4050,41);
INSERT INTO snapshot VALUES(3,1,8043562042571309569,'testdata/store/sampled.txt',3,1767323047000000003,NULL,NULL,NULL,512,1,4096,4,8192,8);
CREATE TABLE label(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    key         TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY(snapshot_id, key)
) WITHOUT ROWID;
INSERT INTO label VALUES(1,'phase','warm');
CREATE TABLE metric(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    name        TEXT NOT NULL,
    value,
    PRIMARY KEY(snapshot_id, name)
) WITHOUT ROWID;
INSERT INTO metric VALUES(1,'rss',4096);
CREATE TABLE loss(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    kind        TEXT NOT NULL,
    count       INTEGER,
    PRIMARY KEY(snapshot_id, kind)
) WITHOUT ROWID;
INSERT INTO loss VALUES(1,'events_dropped',7);
CREATE TABLE meta(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    key         TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY(snapshot_id, key)
) WITHOUT ROWID;
CREATE TABLE module(
    id       INTEGER PRIMARY KEY,
    hash     BLOB NOT NULL,
    path     TEXT NOT NULL,
    build_id TEXT
);
INSERT INTO module VALUES(1,X'180301df47d6c01b01ed91cc2ab1bf84','server',NULL);
CREATE TABLE mapping(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    module_id   INTEGER NOT NULL REFERENCES module(id),
    base        INTEGER NOT NULL,
    size        INTEGER,
    PRIMARY KEY(snapshot_id, module_id, base)
) WITHOUT ROWID;
INSERT INTO mapping VALUES(1,1,0,0);
INSERT INTO mapping VALUES(2,1,0,0);
INSERT INTO mapping VALUES(3,1,0,0);
CREATE TABLE frame(
    id        INTEGER PRIMARY KEY,
    hash      BLOB NOT NULL,
    module_id INTEGER REFERENCES module(id),
    address   INTEGER,
    function  TEXT,
    file      TEXT,
    line      INTEGER,
    inlined   INTEGER NOT NULL
);
INSERT INTO frame VALUES(1,X'451af03e270e1c984e6b32b258e8160f',1,NULL,'main','src/main.c',3,0);
INSERT INTO frame VALUES(2,X'979fb15ae6ece7b56855ccd079e252cc',1,NULL,'serve','src/serve.c',12,0);
INSERT INTO frame VALUES(3,X'bc217b661f411d4ff6d7515f0424da2c',1,NULL,'cache_put','src/cache.c',88,0);
INSERT INTO frame VALUES(4,X'90a7f1a33562d2481730e5d31350affb',1,NULL,'main','src/main.c',4,0);
INSERT INTO frame VALUES(5,X'e2230445afb0a4bf40d40cdb0a0b61e3',1,NULL,'parse','src/parse.c',7,0);
INSERT INTO frame VALUES(6,X'2a7ec105e4a0042d2752cea7a78daf3c',1,NULL,'main','src/main.c',9,0);
INSERT INTO frame VALUES(7,X'bb6c7d8a240216bc3da59d36de09508e',1,NULL,'late','src/late.c',1,0);
CREATE TABLE site(
    id             INTEGER PRIMARY KEY,
    hash           BLOB NOT NULL,
    domain         TEXT NOT NULL,
    depth          INTEGER NOT NULL,
    named_frame_id INTEGER REFERENCES frame(id),
    key_exact      INTEGER NOT NULL,
    key_line       INTEGER NOT NULL,
    key_function   INTEGER NOT NULL,
    named          INTEGER NOT NULL,
    frames         TEXT NOT NULL -- JSON array of frame ids, newest first, inlined frames included
);
INSERT INTO site VALUES(120171605662150546,X'245f2997e0de550394c39bdc71d8e70d','gpu',2,5,0,5199627487021124436,-4511941277969557618,0,'[5,4]');
INSERT INTO site VALUES(3728171393792044873,X'92de7e8942407a67a555e7067eeb119d','malloc',2,5,0,-8457761971555393698,-2541552553620004965,0,'[5,4]');
INSERT INTO site VALUES(4185537131042833032,X'10050884b0072c74b93418ce3b2bbeb2','malloc',3,3,0,2253553600354012075,-5791556881497917578,0,'[3,2,1]');
INSERT INTO site VALUES(4958366997296406438,X'4cbfbee706519f890d3b300f6114d037','malloc',2,7,0,-5287236649169193638,-475833189817746231,0,'[7,6]');
CREATE TABLE live(
    snapshot_id      INTEGER NOT NULL REFERENCES snapshot(id),
    site_id          INTEGER NOT NULL REFERENCES site(id),
    bytes            INTEGER,
    blocks           INTEGER,
    allocated_bytes  INTEGER,
    allocated_blocks INTEGER,
    PRIMARY KEY(snapshot_id, site_id)
) WITHOUT ROWID;
INSERT INTO live VALUES(1,120171605662150546,64,1,64,1);
INSERT INTO live VALUES(1,3728171393792044873,300,3,NULL,NULL);
INSERT INTO live VALUES(1,4185537131042833032,1600,16,3200,32);
INSERT INTO live VALUES(2,4185537131042833032,1800,18,4000,40);
INSERT INTO live VALUES(2,4958366997296406438,50,1,50,1);
INSERT INTO live VALUES(3,4185537131042833032,4096,4,8192,8);
CREATE TABLE variance(
    snapshot_id      INTEGER NOT NULL REFERENCES snapshot(id),
    site_id          INTEGER NOT NULL REFERENCES site(id),
    bytes            REAL NOT NULL,
    blocks           REAL NOT NULL,
    allocated_bytes  REAL NOT NULL,
    allocated_blocks REAL NOT NULL,
    PRIMARY KEY(snapshot_id, site_id)
) WITHOUT ROWID;
CREATE TABLE cohort(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    site_id     INTEGER NOT NULL REFERENCES site(id),
    birth_seq   INTEGER NOT NULL,
    blocks      INTEGER,
    bytes       INTEGER,
    PRIMARY KEY(snapshot_id, site_id, birth_seq)
) WITHOUT ROWID;
INSERT INTO cohort VALUES(1,3728171393792044873,0,3,300);
INSERT INTO cohort VALUES(1,4185537131042833032,0,6,600);
INSERT INTO cohort VALUES(1,4185537131042833032,1,10,1000);
INSERT INTO cohort VALUES(2,4185537131042833032,0,6,600);
INSERT INTO cohort VALUES(2,4185537131042833032,1,12,1200);
INSERT INTO cohort VALUES(2,4958366997296406438,1,1,50);
CREATE TABLE object(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    type        TEXT NOT NULL,
    bytes       INTEGER,
    count       INTEGER,
    PRIMARY KEY(snapshot_id, type)
) WITHOUT ROWID;
CREATE TABLE symbol(
    build_id TEXT NOT NULL,
    address  INTEGER NOT NULL,
    position INTEGER NOT NULL, -- 0: the innermost inlined function
    function TEXT NOT NULL,
    file     TEXT NOT NULL,
    line     INTEGER NOT NULL,
    inlined  INTEGER NOT NULL,
    PRIMARY KEY(build_id, address, position)
) WITHOUT ROWID;
CREATE TABLE block_group(
    snapshot_id     INTEGER NOT NULL REFERENCES snapshot(id),
    id              INTEGER NOT NULL,
    kind            INTEGER NOT NULL,
    label           TEXT,
    site_id         INTEGER REFERENCES site(id),
    blocks          INTEGER NOT NULL,
    bytes           INTEGER NOT NULL,
    direct_blocks   INTEGER NOT NULL,
    direct_bytes    INTEGER NOT NULL,
    indirect_blocks INTEGER NOT NULL,
    indirect_bytes  INTEGER NOT NULL,
    ring_blocks     INTEGER NOT NULL,
    retained_bytes  INTEGER,
    PRIMARY KEY(snapshot_id, id)
) WITHOUT ROWID;
CREATE TABLE root(
    snapshot_id    INTEGER NOT NULL REFERENCES snapshot(id),
    id             INTEGER NOT NULL,
    kind           INTEGER NOT NULL,
    name           TEXT NOT NULL, -- in words, as reports say it
    label          TEXT,
    module_id      INTEGER REFERENCES module(id),
    thread         INTEGER,
    address        INTEGER NOT NULL,
    size           INTEGER NOT NULL,
    symbol         TEXT,
    "offset"       INTEGER NOT NULL,
    retained_bytes INTEGER,
    PRIMARY KEY(snapshot_id, id)
) WITHOUT ROWID;
CREATE TABLE edge(
    snapshot_id      INTEGER NOT NULL REFERENCES snapshot(id),
    id               INTEGER NOT NULL,
    from_root_id     INTEGER, -- either of these two
    from_group_id    INTEGER,
    to_group_id      INTEGER NOT NULL,
    refs             INTEGER NOT NULL,
    blocks           INTEGER NOT NULL,
    bytes            INTEGER NOT NULL,
    dominated_blocks INTEGER,
    dominated_bytes  INTEGER,
    PRIMARY KEY(snapshot_id, id)
) WITHOUT ROWID;
CREATE TABLE path(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    id          INTEGER NOT NULL,
    group_id    INTEGER NOT NULL,
    root_id     INTEGER,
    "offset"    INTEGER NOT NULL,
    skipped     INTEGER NOT NULL,
    PRIMARY KEY(snapshot_id, id)
) WITHOUT ROWID;
CREATE TABLE step(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    path_id     INTEGER NOT NULL,
    position    INTEGER NOT NULL, -- 0: next to the root
    group_id    INTEGER NOT NULL,
    address     INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    "offset"    INTEGER NOT NULL, -- of the pointer to the next step
    PRIMARY KEY(snapshot_id, path_id, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX module_by_hash ON module(hash);
CREATE UNIQUE INDEX frame_by_hash ON frame(hash);
CREATE INDEX snapshot_by_run ON snapshot(run_id, seq, id);
CREATE INDEX frame_by_function ON frame(function);
CREATE VIEW snapshot_order AS
SELECT snapshot_id, run_id, row_number() OVER (ORDER BY taken, start_time_ns, pid, run_id, seq, snapshot_id) AS position
FROM (
    SELECT s.id AS snapshot_id, s.run_id, s.seq, r.start_time_ns, r.pid,
           max(s.time_ns) OVER (PARTITION BY s.run_id ORDER BY s.seq, s.id ROWS UNBOUNDED PRECEDING) AS taken
    FROM snapshot AS s JOIN run AS r ON r.id = s.run_id
);
CREATE VIEW snapshots AS
SELECT s.id AS snapshot_id, s.run_id, s.seq,
       strftime('%Y-%m-%dT%H:%M:%S', s.time_ns / 1000000000, 'unixepoch')
           || printf('.%09dZ', s.time_ns % 1000000000) AS time,
       s.label, r.command, r.pid, s.live_bytes, s.live_blocks, s.allocated_bytes, s.allocated_blocks,
       o.position, r.program, r.host, s."trigger", s.sample_period, s.sites, s.path, s.time_ns, s.mono_ns, r.start_time_ns
FROM snapshot AS s JOIN run AS r ON r.id = s.run_id JOIN snapshot_order AS o ON o.snapshot_id = s.id;
CREATE VIEW sites AS
SELECT s.id AS site_id, s.id AS stack_id, s.domain, s.depth, f.function, f.file, f.line, m.path AS module,
       CASE WHEN s.named >= 0 THEN f.function END AS own_function,
       CASE WHEN s.named >= 0 THEN f.file END AS own_file, CASE WHEN s.named >= 0 THEN f.line END AS own_line
FROM site AS s LEFT JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id;
CREATE VIEW stacks AS
SELECT s.id AS stack_id, s.depth,
       coalesce((SELECT group_concat(name, ';')
                 FROM (SELECT coalesce(f.function, '?') AS name
                       FROM json_each(s.frames) AS e JOIN frame AS f ON f.id = e.value
                       ORDER BY e.key)), '') AS stack
FROM site AS s;
CREATE VIEW frames AS
SELECT s.id AS stack_id, e.key AS position, f.function, f.file, f.line, m.path AS module, f.inlined,
       f.address, m.build_id
FROM site AS s, json_each(s.frames) AS e JOIN frame AS f ON f.id = e.value
LEFT JOIN module AS m ON m.id = f.module_id;
CREATE VIEW history AS
SELECT l.snapshot_id, p.seq,
       strftime('%Y-%m-%dT%H:%M:%S', p.time_ns / 1000000000, 'unixepoch')
           || printf('.%09dZ', p.time_ns % 1000000000) AS time,
       l.site_id, f.function, f.file, f.line, m.path AS module, s.domain,
       l.bytes AS live_bytes, l.blocks AS live_blocks, l.allocated_bytes, l.allocated_blocks,
       CASE WHEN s.named >= 0 THEN f.function END AS own_function,
       CASE WHEN s.named >= 0 THEN f.file END AS own_file, CASE WHEN s.named >= 0 THEN f.line END AS own_line
FROM live AS l JOIN snapshot AS p ON p.id = l.snapshot_id JOIN site AS s ON s.id = l.site_id
LEFT JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id;
CREATE VIEW top AS
SELECT * FROM history
WHERE snapshot_id = (SELECT snapshot_id FROM snapshot_order ORDER BY position DESC LIMIT 1)
ORDER BY live_bytes DESC, live_blocks DESC, site_id;
CREATE VIEW changes AS
WITH pair(old_id, new_id) AS (
    SELECT (SELECT p.id FROM snapshot AS p
            WHERE p.run_id = n.run_id AND (coalesce(p.seq, 0), p.id) < (coalesce(n.seq, 0), n.id)
            ORDER BY coalesce(p.seq, 0) DESC, p.id DESC LIMIT 1), n.id
    FROM snapshot AS n
), change(old_id, new_id, site_id, old_bytes, new_bytes, old_blocks, new_blocks) AS (
    SELECT pair.old_id, pair.new_id, n.site_id,
           CASE WHEN o.site_id IS NULL THEN 0 ELSE o.bytes END, n.bytes,
           CASE WHEN o.site_id IS NULL THEN 0 ELSE o.blocks END, n.blocks
    FROM pair JOIN live AS n ON n.snapshot_id = pair.new_id
    LEFT JOIN live AS o ON o.snapshot_id = pair.old_id AND o.site_id = n.site_id
    WHERE pair.old_id IS NOT NULL
    UNION ALL
    SELECT pair.old_id, pair.new_id, o.site_id, o.bytes, 0, o.blocks, 0
    FROM pair JOIN live AS o ON o.snapshot_id = pair.old_id
    WHERE NOT EXISTS (SELECT 1 FROM live AS n WHERE n.snapshot_id = pair.new_id AND n.site_id = o.site_id)
)
SELECT c.old_id AS old_snapshot_id, c.new_id AS new_snapshot_id, c.site_id, f.function, f.file, f.line,
       m.path AS module, c.old_bytes, c.new_bytes, c.new_bytes - c.old_bytes AS delta_bytes,
       c.old_blocks, c.new_blocks, c.new_blocks - c.old_blocks AS delta_blocks, s.domain,
       CASE WHEN s.named >= 0 THEN f.function END AS own_function,
       CASE WHEN s.named >= 0 THEN f.file END AS own_file, CASE WHEN s.named >= 0 THEN f.line END AS own_line
FROM change AS c JOIN site AS s ON s.id = c.site_id
LEFT JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id;
CREATE VIEW types AS
SELECT snapshot_id, type, bytes, count FROM object;
CREATE VIEW metrics AS
SELECT snapshot_id, name, value FROM metric;
CREATE VIEW losses AS
SELECT snapshot_id, kind, count FROM loss;
CREATE VIEW labels AS
SELECT snapshot_id, key, value FROM label;
CREATE VIEW cohorts AS
SELECT snapshot_id, site_id, birth_seq, blocks AS live_blocks, bytes AS live_bytes FROM cohort;
CREATE VIEW modules AS
SELECT p.snapshot_id, m.path AS module, m.build_id, p.base, p.size,
	r.value AS resident_bytes, w.value AS private_bytes
FROM mapping AS p JOIN module AS m ON m.id = p.module_id
LEFT JOIN metric AS r ON r.snapshot_id = p.snapshot_id
	AND r.name = printf('module_resident.%x.%s.%s', p.base, ifnull(m.build_id, ''), m.path)
LEFT JOIN metric AS w ON w.snapshot_id = p.snapshot_id
	AND w.name = printf('module_private.%x.%s.%s', p.base, ifnull(m.build_id, ''), m.path);
CREATE VIEW groups AS
SELECT g.snapshot_id, g.id AS group_id,
       CASE g.kind WHEN 0 THEN 'site' WHEN 1 THEN 'type' ELSE 'kind ' || g.kind END AS kind,
       g.label, g.site_id, f.function, f.file, f.line, m.path AS module, g.blocks, g.bytes, g.retained_bytes,
       g.direct_blocks + g.indirect_blocks AS unreachable_blocks,
       g.direct_bytes + g.indirect_bytes AS unreachable_bytes
FROM block_group AS g LEFT JOIN site AS s ON s.id = g.site_id
LEFT JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id;
CREATE VIEW roots AS
SELECT r.snapshot_id, r.id AS root_id,
       CASE r.kind WHEN 0 THEN 'global' WHEN 1 THEN 'thread-local' WHEN 2 THEN 'stack' WHEN 3 THEN 'registers'
                   WHEN 4 THEN 'thread' WHEN 5 THEN 'mapping' WHEN 6 THEN 'loader' WHEN 7 THEN 'interpreter'
                   WHEN 8 THEN 'kernel'
                   ELSE 'kind ' || r.kind END AS kind,
       r.name, r.label, m.path AS module, r.thread, r.symbol, r."offset", r.address, r.size, r.retained_bytes
FROM root AS r LEFT JOIN module AS m ON m.id = r.module_id;
CREATE VIEW holders AS
SELECT e.snapshot_id, e.to_group_id AS group_id, t.site_id, t.function, t.file, t.line, t.module,
       coalesce(r.kind, h.kind) AS holder_kind,
       coalesce(r.name, h.function || coalesce(' ' || h.file || coalesce(':' || h.line, ''), ''), h.label)
           AS holder,
       e.from_root_id AS holder_root_id, e.from_group_id AS holder_group_id, h.site_id AS holder_site_id,
       e.refs AS refs, e.blocks, e.bytes, e.dominated_blocks, e.dominated_bytes
FROM edge AS e JOIN groups AS t ON t.snapshot_id = e.snapshot_id AND t.group_id = e.to_group_id
LEFT JOIN groups AS h ON h.snapshot_id = e.snapshot_id AND h.group_id = e.from_group_id
LEFT JOIN roots AS r ON r.snapshot_id = e.snapshot_id AND r.root_id = e.from_root_id;
CREATE VIEW leaks AS
SELECT g.snapshot_id, g.id AS group_id, g.site_id, f.function, f.file, f.line, m.path AS module, g.label,
       g.direct_blocks + g.indirect_blocks AS unreachable_blocks,
       g.direct_bytes + g.indirect_bytes AS unreachable_bytes,
       g.direct_blocks, g.direct_bytes, g.indirect_blocks, g.indirect_bytes, g.ring_blocks
FROM block_group AS g LEFT JOIN site AS s ON s.id = g.site_id
LEFT JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id
WHERE g.direct_blocks + g.indirect_blocks > 0;
CREATE VIEW paths AS
SELECT p.snapshot_id, p.id AS path_id, p.group_id, p.root_id, p."offset" AS root_offset, p.skipped,
       s.position, s.group_id AS step_group_id, s.address, s.size, s."offset"
FROM path AS p JOIN step AS s ON s.snapshot_id = p.snapshot_id AND s.path_id = p.id;
COMMIT;
