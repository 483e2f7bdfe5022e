-- The case an invoice has: the name-based UUID (version 5) of its dedup key.
CREATE FUNCTION case_of AS (seller, invoice) -> arrayStringConcat(arrayMap(
    part -> substring(lower(hex(SHA1(concat(unhex('9b10a2719ecb552caf1ec0dad2ccee14'), seller, '|invoice|', invoice, '|r0')))), part.1, part.2),
    [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]), '-')
