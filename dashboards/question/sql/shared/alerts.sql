seller = {seller:String} AND {days} AND {segment} AND {causes} AND kind IN ('invoice', 'incident') AND origin = 'detector'
