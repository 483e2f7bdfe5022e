seller = {seller:String} AND invoice_id = {invoice_id:String}
