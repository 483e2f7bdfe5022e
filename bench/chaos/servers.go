package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"recoup/bench/fault"
)

// brokerFaults are what happens to the broker and the way to it.
func brokerFaults() []kind {
	return []kind{
		{"broker killed and restarted", func(ctx context.Context, p *play, rng *rand.Rand, name string) error {
			down := upTo(rng, 4*time.Second)
			p.note(name, restarted)
			p.site.broker.Kill()
			if err := pass(ctx, down); err != nil {
				return err
			}
			return p.site.broker.Restart(ctx)
		}},
		{"broker slow", kafkaFor(5*time.Second, 10*time.Second, fault.Fault{Latency: 100 * time.Millisecond})},
		{"broker black-holed", kafkaFor(3*time.Second, 12*time.Second, fault.Fault{BlackHole: true})},
		{"answers of the broker cut", answersCut(false)},
		{"connections to the broker cut behind an answer", answersCut(true)},
	}
}

// answersCut cuts connections at answers of the broker, which have arrived or are lost. State is
// written every half minute only: so long it waits for the first of them.
func answersCut(after bool) func(context.Context, *play, *rand.Rand, string) error {
	return func(ctx context.Context, p *play, rng *rand.Rand, name string) error {
		t := &p.Config.Kafka.Topics
		of := []string{t.Suspects, t.Cases, t.State, t.Baselines, t.Invoices}
		before := p.site.kafka.Cuts()
		p.site.kafka.Set(fault.Fault{Cut: fault.Cut{Times: 2 + rng.IntN(3), Request: of[rng.IntN(len(of))], After: after}})
		defer p.site.calm()
		for waited := time.Duration(0); waited < 40*time.Second && p.site.kafka.Cuts() == before; waited += 4 * time.Second {
			if err := pass(ctx, 4*time.Second); err != nil {
				return err
			}
		}
		return p.noteCuts(p.site.kafka.Cuts()-before, name)
	}
}

// noteCuts notes connections that were cut.
func (p *play) noteCuts(n int, name string) error {
	for range n {
		p.note(name, other)
	}
	if n == 0 {
		return errNobody
	}
	return nil
}

// kafkaFor does something to the way to Kafka for some time.
func kafkaFor(least, more time.Duration, f fault.Fault) func(context.Context, *play, *rand.Rand, string) error {
	return func(ctx context.Context, p *play, rng *rand.Rand, name string) error {
		length := least + upTo(rng, more)
		p.note(name, other)
		p.site.kafka.Set(f)
		defer p.site.calm()
		return pass(ctx, length)
	}
}

// warehouseFaults are what happens to ClickHouse and the way to it.
func warehouseFaults() []kind {
	return []kind{
		{"ClickHouse killed and restarted", warehouseDown(0, 2*time.Second)},
		{warehouseAway, warehouseGone},
		{"ClickHouse slow", warehouseFor(5*time.Second, 10*time.Second,
			fault.Fault{Latency: 150 * time.Millisecond, Rate: 1 << 20})},
		{"ClickHouse black-holed",
			warehouseFor(5*time.Second, 30*time.Second, fault.Fault{BlackHole: true})},
		{"acknowledgements of inserts cut", unacknowledged},
		{"disk of ClickHouse full", diskFull},
	}
}

// warehouseAway is the longest fault: only one scene has it.
const warehouseAway = "ClickHouse away for minutes"

// warehouseGone has ClickHouse away for minutes. Meanwhile cases go on and rows wait in
// memory; half-way a member is killed, so that another one has to make its rows anew.
func warehouseGone(ctx context.Context, p *play, rng *rand.Rand, name string) error {
	length := 2*time.Minute + upTo(rng, 30*time.Second)
	p.note(name, darkened)
	p.site.server.Kill()
	err := pass(ctx, length/2)
	if err == nil {
		err = kill(p, rng, 1, "killed while ClickHouse is away")
	}
	if errors.Is(err, errNobody) {
		err = nil // ClickHouse was away all the same
	}
	err = errors.Join(err, p.refill(), pass(ctx, length/2))
	return errors.Join(err, p.site.server.Restart(context.WithoutCancel(ctx)))
}

// warehouseDown kills ClickHouse and starts it again some time later.
func warehouseDown(least, more time.Duration) func(context.Context, *play, *rand.Rand, string) error {
	return func(ctx context.Context, p *play, rng *rand.Rand, name string) error {
		length := least + upTo(rng, more)
		p.note(name, darkened)
		p.site.server.Kill()
		if err := pass(ctx, length); err != nil {
			return err
		}
		return p.site.server.Restart(ctx)
	}
}

// unacknowledged cuts connections behind the rows of an insert: they are stored, and nobody
// hears of it.
func unacknowledged(ctx context.Context, p *play, rng *rand.Rand, name string) error {
	before := p.site.warehouse.cut()
	p.site.warehouse.set(fault.Fault{Cut: fault.Cut{Times: 1 + rng.IntN(3), Request: "INSERT INTO", Turn: 1}}, nil)
	err := pass(ctx, 4*time.Second)
	p.site.calm()
	if err != nil {
		return err
	}
	return p.noteCuts(p.site.warehouse.cut()-before, name)
}

// diskFull lets ClickHouse have no space for a while.
func diskFull(ctx context.Context, p *play, rng *rand.Rand, name string) error {
	length := 5*time.Second + upTo(rng, 15*time.Second)
	free, err := p.site.fill(ctx, p.Config.ClickHouse)
	if err != nil {
		return fmt.Errorf("%w: %w", errCannot, err)
	}
	p.note(name, other)
	err = pass(ctx, length)
	return errors.Join(err, free(context.WithoutCancel(ctx)))
}

// warehouseFor does something to the ways to ClickHouse for some time.
func warehouseFor(least, more time.Duration, f fault.Fault) func(context.Context, *play, *rand.Rand, string) error {
	return func(ctx context.Context, p *play, rng *rand.Rand, name string) error {
		length := least + upTo(rng, more)
		p.note(name, other)
		p.site.warehouse.set(f, nil)
		defer p.site.calm()
		return pass(ctx, length)
	}
}
