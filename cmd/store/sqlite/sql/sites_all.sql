-- Question:   Which sites are there?
-- Parameters: none.
-- Columns:    the fields of struct store_site.
SELECT id, domain, depth, key_exact, key_line, key_function, named, frames FROM site ORDER BY id;
