-- What a decision was weighed by. Rows stored before have the defaults: nothing was known.

ALTER TABLE scored_invoices
    ADD COLUMN IF NOT EXISTS recovery_rate Float64 COMMENT 'Share of what is asked for that was taken to come back; read only where recovery_cases > 0' CODEC(ZSTD(1)) AFTER feedback_as_of,
    ADD COLUMN IF NOT EXISTS recovery_cases Int64 COMMENT 'Closed cases behind recovery_rate; 0: not known, all of it' CODEC(ZSTD(1)) AFTER recovery_rate;
