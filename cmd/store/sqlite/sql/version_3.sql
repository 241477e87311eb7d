-- Question:   (brings a database from schema version 2 to 3: who holds what)
-- Parameters: none.
-- Columns:    none.
--
-- The graph of holders of a snapshot that was asked for it.  Its nodes are groups of blocks and roots; ids are
-- places in the snapshot's file.  Figures that were not computed are NULL.  A group that is no call stack has no
-- site.  Of a path, `root_id` is NULL where it begins at a block that nothing reaches.
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
