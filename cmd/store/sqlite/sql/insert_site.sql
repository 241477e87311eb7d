-- Question:   (adds a site with its stack)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT INTO site(id, hash, domain, depth, named_frame_id, key_exact, key_line, key_function, named, frames)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
