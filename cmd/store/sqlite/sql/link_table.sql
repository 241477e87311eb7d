-- Question:   (makes room for which row holds which)
-- Parameters: none.
-- Columns:    none.
CREATE TEMP TABLE link(
    holder          INTEGER NOT NULL,
    held            INTEGER NOT NULL,
    refs            INTEGER NOT NULL,
    blocks          INTEGER NOT NULL,
    bytes           INTEGER NOT NULL,
    dominated_bytes INTEGER NOT NULL,
    PRIMARY KEY(holder, held)
) WITHOUT ROWID;
