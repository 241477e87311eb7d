-- Question:   (a private database has its call stacks and figures in arrays: tables that show them take the tables' place)
-- Parameters: none.
-- Columns:    none.
DROP TABLE cohort;
DROP TABLE variance;
DROP TABLE live;
DROP TABLE site;
DROP TABLE frame;
CREATE VIRTUAL TABLE frame USING snapdiff_frame;
CREATE VIRTUAL TABLE site USING snapdiff_site;
CREATE VIRTUAL TABLE live USING snapdiff_live;
CREATE VIRTUAL TABLE variance USING snapdiff_variance;
CREATE VIRTUAL TABLE cohort USING snapdiff_cohort;
