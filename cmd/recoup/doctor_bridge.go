package main

import (
	"context"

	"recoup/internal/app"
)

// bridge checks that those whom `recoup bridge` tells can be reached; none need be set.
func (x *examination) bridge(ctx context.Context) {
	receivers, err := app.Receivers(x.settings)
	if err != nil {
		x.failed("bridge", err, "mend the files below tls")
		return
	}
	for _, to := range receivers {
		if err := to.Reach(ctx); err != nil {
			x.failed("bridge", err, "")
			continue
		}
		x.ok("bridge", "%s can be reached", to.Name())
	}
}
