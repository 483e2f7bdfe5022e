uniqCombined64If(20)(customer_ref, customer_ref NOT IN ('', 'anonymous'))
