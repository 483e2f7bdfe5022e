SELECT option, answers, mean, satisfied / answers AS satisfied_share
FROM satisfaction_by_option
WHERE seller = {seller:String}
ORDER BY answers DESC, option
LIMIT {limit:UInt32}
