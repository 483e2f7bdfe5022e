quantilesBFloat16If(0.5, 0.99)(dateDiff('millisecond', received_at, inserted_at) / 1000, NOT canary)
