-- Question:   Which site is this?
-- Parameters: ?1 site.
-- Columns:    the fields of struct store_site.
SELECT id, domain, depth, key_exact, key_line, key_function, named, frames FROM site WHERE id = ?1;
