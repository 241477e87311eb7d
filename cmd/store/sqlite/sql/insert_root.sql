-- Question:   (adds a root of the graph of holders)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT INTO root(snapshot_id, id, kind, name, label, module_id, thread, address, size, symbol, "offset",
                 retained_bytes)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
