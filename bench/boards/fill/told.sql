-- What became of each suspect that has a case. What would come behind now has not happened.
CREATE VIEW told AS
WITH
    cityHash64(case_id) AS h,
    (at -> if(at < now64(3), at, NULL)) AS past
SELECT
    *,
    received_at + INTERVAL 1 SECOND AS detected_at,
    if(h % 100 < 90, past(detected_at + toIntervalMinute(10 + h % 2400)), NULL) AS acknowledged_at,
    if(h % 100 < 80, past(acknowledged_at + toIntervalMinute(30 + h % 14000)), NULL) AS decided_at,
    if(h % 100 < 70, past(decided_at + toIntervalMinute(60 + h % 30000)), NULL) AS closed_at,
    ['confirmed_error', 'confirmed_error', 'confirmed_error', 'not_an_error', 'expected_change', 'undetermined'][h % 6 + 1] AS outcome
FROM scored_invoices
WHERE case_id != ''
