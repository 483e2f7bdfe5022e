(has({cause:Array(String)}, '*') OR cause IN {cause:Array(String)})
