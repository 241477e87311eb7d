-- Question:   (makes room for what the rows of a report have)
-- Parameters: none.
-- Columns:    none.
--
-- A root has no blocks.  sized: 1 if a retained size of the row's blocks is known.
CREATE TEMP TABLE size(
    row            INTEGER PRIMARY KEY,
    bytes          INTEGER,
    blocks         INTEGER,
    lost_blocks    INTEGER,
    retained_bytes INTEGER NOT NULL,
    sized          INTEGER NOT NULL
);
