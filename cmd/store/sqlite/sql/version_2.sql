-- Question:   (brings a database from schema version 1 to 2: a site's id is made of its hash)
-- Parameters: none.
-- Columns:    none.
--
-- In version 1 a site had the next free number, which another database gave to another site.
UPDATE live SET site_id = (SELECT site_key(s.hash) FROM site AS s WHERE s.id = live.site_id);
UPDATE variance SET site_id = (SELECT site_key(s.hash) FROM site AS s WHERE s.id = variance.site_id);
UPDATE cohort SET site_id = (SELECT site_key(s.hash) FROM site AS s WHERE s.id = cohort.site_id);
UPDATE site SET id = site_key(hash);
DROP INDEX IF EXISTS site_by_hash;
