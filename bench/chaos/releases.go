package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
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

// wrongFiles are what is added to a configuration that is right, "" if it is missing, and
// what a member has to say then.
var wrongFiles = []struct{ added, named string }{
	{"\nscorring:\n  deviation: 15%\n", "unknown key"},
	{"\nhttp: [\n", "not valid YAML"},
	{"\nlog:\n\tlevel: info\n", "not valid YAML"},
	{"\n---\nlog:\n  level: info\n", "second YAML document"},
	{"", "cannot read the configuration"},
}

// releases are what happens when a release or a configuration is rolled out. Settings are
// read once, at the start: what is reloaded is the process.
func releases() []kind {
	return []kind{
		{"started with a bad configuration", mistaken},
		{"restarted with a bad configuration file", reloaded},
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
	p.note(name, other)
	return p.refused(ctx, wrong.variable+"="+wrong.value, wrong.named)
}

// reloaded restarts a member with a configuration file that is wrong, as when a bad one is
// rolled out: it must refuse and say what is wrong, while the others take its partitions.
func reloaded(ctx context.Context, p *play, rng *rand.Rand, name string) error {
	there := p.atWork()
	if len(there) < 2 {
		return errNobody
	}
	good, err := os.ReadFile(p.ConfigFile())
	if err != nil {
		return err
	}
	wrong := wrongFiles[rng.IntN(len(wrongFiles))]
	file := filepath.Join(filepath.Dir(p.ConfigFile()), "wrong.yaml")
	if wrong.added == "" {
		file = filepath.Join(file, "missing.yaml")
	} else if err := os.WriteFile(file, append(good, wrong.added...), 0o644); err != nil {
		return err
	}
	if err := p.leave(ctx, []*member{there[rng.IntN(len(there))]}, name); err != nil {
		return err
	}
	if err := p.refused(ctx, "RECOUP_CONFIG="+file, wrong.named); err != nil {
		return err
	}
	return p.flow(ctx) // without the member, which comes back behind this fault
}

// refused starts a member with a wrong setting and wants it to end by itself, naming what
// is wrong.
func (p *play) refused(ctx context.Context, setting, named string) error {
	m, err := p.join(setting)
	if err != nil {
		return err
	}
	p.mu.Lock()
	m.gone = true
	p.mu.Unlock()
	for began := time.Now(); m.Running(); {
		if time.Since(began) > patience {
			m.Kill()
			return fmt.Errorf("a member runs with %s", setting)
		}
		if err := pass(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	if said := m.Ended().Error(); strings.Contains(said, "exit status 0") || !strings.Contains(said, named) {
		return fmt.Errorf("a member with %s does not say %q: %s", setting, named, said)
	}
	return nil
}
