-- Findings, the first to fix first. `riftline findings` fills the comment between /* and */.
SELECT
    id, rule, severity, confidence, subject, services, first_seen, last_seen, occurrences, out_of, examples, evidence, fix, "group"
FROM findings
WHERE true /* and of these */
ORDER BY severity_number, confidence * occurrences DESC, rule, subject
