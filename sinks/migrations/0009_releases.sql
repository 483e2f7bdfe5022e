-- Since when does each release of a billing system make invoices? Boards mark that.

-- By release: the first and last invoices. Grouped by what views leave out.
ALTER TABLE scored_invoices ADD PROJECTION IF NOT EXISTS source_releases
(
    SELECT
        seller, source_system, source_release, stage, canary, revision, invoice_type,
        min(issued_at),
        min(cohort_day),
        max(cohort_day),
        count()
    GROUP BY
        seller, source_system, source_release, stage, canary, revision, invoice_type
);

-- MATERIALIZE rolls up deleted rows of wide parts too: nothing may be left of them.
-- This mends the roll-ups of before as well.
ALTER TABLE scored_invoices APPLY DELETED MASK;

ALTER TABLE scored_invoices MATERIALIZE PROJECTION source_releases;

-- Revisions, corrections and credit notes keep dates of before. A date before 1970 is an
-- error of the source: then the day tells.
CREATE OR REPLACE VIEW release_spans AS
SELECT
    seller,
    source_system,
    source_release,
    greatest(min(issued_at), toDateTime64(min(cohort_day), 3, 'UTC')) AS first_issued_at,
    max(cohort_day) AS last_day,
    count() AS invoices
FROM scored_invoices
WHERE NOT canary AND stage = 'issued' AND revision = 0 AND invoice_type = 'invoice'
GROUP BY seller, source_system, source_release
COMMENT 'Which release of which system made invoices, and when? First and last issue, and how many; without a name: what told none. Read from the roll-up inside scored_invoices';
