package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// mistakes are settings that nobody can run with, and what a member has to name then.
var mistakes = []struct{ variable, value, named string }{
	{"RECOUP_KAFKA_SESSION_TIMEOUT", "1s", "session_timeout"},
	{"RECOUP_PIPELINE_FLUSH_ROWS", "-1", "flush_rows"},
	{"RECOUP_PIPELINE_CHECKPOINT_INTERVAL", "soon", "checkpoint_interval"},
	{"RECOUP_SCORING_DEVIATION", "150%", "deviation"},
}

// releases are what happens when a release or a configuration is rolled out. Settings are
// read once, at the start: what is reloaded is the process.
func releases() []kind {
	return []kind{
		{"started with a bad configuration", mistaken},
		{"rolled back to an earlier release and upgraded again", rolled},
	}
}

// rolled has an earlier release take over from this one, and this one from it.
func rolled(ctx context.Context, p *play, rng *rand.Rand, _ string) error {
	if err := p.site.buildOld(ctx); err != nil {
		return fmt.Errorf("%w: %w", errCannot, err)
	}
	p.build = p.site.old
	if err := p.roll(ctx, rng, "rolled back to an earlier release, one by one"); err != nil {
		return err
	}
	p.build = p.site.binary
	return p.roll(ctx, rng, "upgraded from an earlier release, one by one")
}

// roll replaces the members at work one by one, by leave or by kill, while the others of
// the other release go on.
func (p *play) roll(ctx context.Context, rng *rand.Rand, name string) error {
	for _, m := range p.atWork() {
		if rng.IntN(3) == 0 {
			p.kill(m, name)
		} else if err := p.leave(ctx, []*member{m}, name); err != nil {
			return err
		}
		if err := p.refill(); err != nil {
			return err
		}
		if err := p.flow(ctx); err != nil {
			return err
		}
	}
	return nil
}

// mistaken has a member start with a setting that is wrong: it must refuse, name the
// setting, and not disturb the others.
func mistaken(ctx context.Context, p *play, rng *rand.Rand, name string) error {
	wrong := mistakes[rng.IntN(len(mistakes))]
	m, err := p.join(wrong.variable + "=" + wrong.value)
	if err != nil {
		return err
	}
	p.mu.Lock()
	m.gone = true
	p.mu.Unlock()
	p.note(name, other)
	for began := time.Now(); m.Running(); {
		if time.Since(began) > patience {
			m.Kill()
			return fmt.Errorf("a member runs with %s=%s", wrong.variable, wrong.value)
		}
		if err := pass(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	if said := m.Ended().Error(); strings.Contains(said, "exit status 0") || !strings.Contains(said, wrong.named) {
		return errors.New("a member with a wrong " + wrong.named + " does not say so: " + said)
	}
	return nil
}
