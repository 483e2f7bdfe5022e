(has({customer_type:Array(String)}, '*') OR customer_type IN {customer_type:Array(String)})
    AND (has({product_family:Array(String)}, '*') OR product_family IN {product_family:Array(String)})
