-- Question:   What is at this address?
-- Parameters: ?1 build_id, ?2 address.
-- Columns:    function, file, line, inlined; the innermost inlined function first.
SELECT function, file, line, inlined FROM symbol WHERE build_id = ?1 AND address = ?2 ORDER BY position;
