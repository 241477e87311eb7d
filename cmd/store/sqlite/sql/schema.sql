-- Question:   What does a snapdiff database keep?  (as of version 1; version_<n>.sql has what came later)
-- Parameters: none.
-- Columns:    none; creates the base tables.  They may change between versions: scripts use the views.
--
-- A site's id is made of the first 63 bits of its hash (site_key), so that every loader and every database
-- gives the same call stack the same id.  Unknown figures are NULL.  A site is a call stack in a domain and carries its whole stack, so that
-- loading one inserts one row and not one per frame; a stack recorded in two domains is kept twice.
-- `hash` is 128 bits over the content of a row: how a second snapshot finds the rows of the first.
-- Secondary indexes are in indexes.sql, because a private in-memory database does without them.
CREATE TABLE run(
    id            INTEGER PRIMARY KEY,
    host          TEXT,
    pid           INTEGER,
    start_time_ns INTEGER,
    program       TEXT,
    command       TEXT
);
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
CREATE TABLE label(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    key         TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY(snapshot_id, key)
) WITHOUT ROWID;
CREATE TABLE metric(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    name        TEXT NOT NULL,
    value,
    PRIMARY KEY(snapshot_id, name)
) WITHOUT ROWID;
CREATE TABLE loss(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    kind        TEXT NOT NULL,
    count       INTEGER,
    PRIMARY KEY(snapshot_id, kind)
) WITHOUT ROWID;
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
CREATE TABLE mapping(
    snapshot_id INTEGER NOT NULL REFERENCES snapshot(id),
    module_id   INTEGER NOT NULL REFERENCES module(id),
    base        INTEGER NOT NULL,
    size        INTEGER,
    PRIMARY KEY(snapshot_id, module_id, base)
) WITHOUT ROWID;
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
CREATE TABLE live(
    snapshot_id      INTEGER NOT NULL REFERENCES snapshot(id),
    site_id          INTEGER NOT NULL REFERENCES site(id),
    bytes            INTEGER,
    blocks           INTEGER,
    allocated_bytes  INTEGER,
    allocated_blocks INTEGER,
    PRIMARY KEY(snapshot_id, site_id)
) WITHOUT ROWID;
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
