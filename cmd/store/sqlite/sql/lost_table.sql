-- Question:   (makes room for what counts as lost, of each group of blocks)
-- Parameters: none.
-- Columns:    none.
--
-- bytes and blocks are those that are live.
CREATE TEMP TABLE lost(
    id              INTEGER PRIMARY KEY,
    kind            INTEGER NOT NULL,
    direct_bytes    INTEGER NOT NULL,
    direct_blocks   INTEGER NOT NULL,
    indirect_bytes  INTEGER NOT NULL,
    indirect_blocks INTEGER NOT NULL,
    ring_blocks     INTEGER NOT NULL,
    bytes           INTEGER NOT NULL,
    blocks          INTEGER NOT NULL
);
