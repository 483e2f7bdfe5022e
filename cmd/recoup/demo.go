package main

import (
	"cmp"
	"context"

	"recoup/internal/config"
	"recoup/internal/demo"
)

// demoCommand is `recoup demo`.
type demoCommand struct {
	ClickHouse     string  `name:"clickhouse" placeholder:"ADDR" help:"Native host:port of a ClickHouse to use."`
	ClickHouseHTTP string  `name:"clickhouse-http" placeholder:"ADDR" help:"Its HTTP host:port. By default port 8123."`
	Speed          float64 `default:"200" help:"Invoices replayed per second, 0 for as fast as possible."`
	Once           bool    `help:"End after the stream instead of waiting for Ctrl-C."`
	Keep           string  `placeholder:"DIR" help:"Keep ClickHouse's data in this new directory."`
	Unruly         bool    `help:"Deliver what the people write twice and in disorder; the figures are the same."`
	Listen         string  `default:"127.0.0.1:0" help:"Loopback address of the page; port 0 is a free one."`
}

// Help is the longer text of `recoup demo --help`.
func (*demoCommand) Help() string {
	return `Runs the service on real invoices that come with this program, a known share of them made wrong, and shows on
the terminal and on a page of this machine what it finds, and at the end how much of the truth that is. Models are
trained on the way: before each week of the invoices but the first the replay waits for one, unless --speed is 0.

The case team and the customers are played too, by the known truth, in their own time: they verify, decide, pay, refuse
and dispute, and recoup learns from it. The demo ends with the money and the KPIs, read from the views in ClickHouse;
one that differs by a cent from what the played people did is an error.

Kafka is embedded. ClickHouse is the one of --clickhouse, else a "clickhouse" on the PATH, else a library that npm
installs once (Linux on x86-64). The settings are the defaults; no configuration is read.

A ClickHouse that is given must take the user default without a password. The demo makes a database of its own there
and leaves it; anything else it removes at the end.

Examples:

    recoup demo
    recoup demo --once --speed 0
    recoup demo --clickhouse localhost:9000`
}

// Run runs the demo until its stream ends (--once) or ctx does.
func (c *demoCommand) Run(ctx context.Context, s *session) error {
	return demo.Run(ctx, demo.Options{
		ClickHouse: c.ClickHouse, ClickHouseHTTP: c.ClickHouseHTTP, Keep: c.Keep, Speed: c.Speed, Once: c.Once,
		Listen: c.Listen, Out: s.stdout, Unruly: c.Unruly,
		Log: s.logger(config.Log{Level: cmp.Or(s.flags.LogLevel, "warn"), Format: "text"}),
	})
}
