seller = {seller:String} AND is_open AND NOT {bundled}
