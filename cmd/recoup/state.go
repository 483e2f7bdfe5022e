package main

import (
	"context"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"recoup/internal/app"
	"recoup/internal/config"
	"recoup/internal/ops"
	"recoup/sinks"
)

// stateCommand is `recoup state`.
type stateCommand struct {
	Reset       stateResetCommand       `cmd:"" help:"Begin anew with a topic of invoices that was recreated."`
	Repartition stateRepartitionCommand `cmd:"" help:"Go on after partitions were added to the invoices."`
}

// stateResetCommand is `recoup state reset`.
type stateResetCommand struct {
	Topic string `placeholder:"NAME" help:"Topic that was recreated. By default that of the invoices, the only one."`
	Yes   bool   `help:"Do it; without, it is only said what would be done."`
}

// Help is the longer text of `recoup state reset --help`.
func (*stateResetCommand) Help() string {
	return `For a topic of invoices that was deleted and made again: recoup refuses it, for its state was learned from
other records. Reset raises the topic's incarnation, forgets what was learned, and has every invoice that
stands in the topic scored from its start. Rows, decisions and cases of before stay. What is sent again
gets a second row, of the new incarnation; its case is the same one, with the same id. All members must be
stopped. Where nothing is to be done it does nothing; after a crash, run it again. ClickHouse is asked
which incarnations have rows.

Examples:

    recoup state reset
    recoup state reset --topic billing.invoices --yes`
}

// Run says what a reset would do, or does it.
func (c *stateResetCommand) Run(ctx context.Context, s *session) error {
	loaded, err := s.settings()
	if err != nil {
		return err
	}
	if own := loaded.Kafka.Topics.Invoices; c.Topic != "" && c.Topic != own {
		return usage("cannot reset topic %q: want %q, the topic of the invoices (kafka.topics.invoices)", c.Topic, own)
	}
	u, err := openUpkeep(ctx, s, loaded)
	if err != nil {
		return err
	}
	defer u.Close()
	topic := loaded.Kafka.Topics.Invoices
	committed, err := u.Kafka.CommittedOffsets(ctx, loaded.Kafka.Group, topic)
	if err != nil {
		return err
	}
	stored, err := lastIncarnation(ctx, s, loaded)
	if err != nil {
		return err
	}
	plan, err := u.Member.PlanReset(ctx, committed, stored)
	if err != nil {
		return err
	}
	if !plan.Due() {
		fmt.Fprintf(s.stdout, "nothing to do: the state is that of %s, incarnation %d\n", topic, plan.Incarnation)
		return nil
	}
	for p, is := range plan.Partitions {
		if is.Why != "" {
			fmt.Fprintf(s.stdout, "%s/%d: %s; state of incarnation %d up to offset %d is forgotten\n", topic, p, is.Why,
				is.Incarnation, is.Offset)
		}
	}
	if !c.Yes {
		fmt.Fprintf(s.stdout, "would begin incarnation %d of %s; to do it, add --yes\n", plan.Incarnation, topic)
		return nil
	}
	return changeState(ctx, s, u, loaded, len(plan.Partitions), func(step func()) error {
		if err := u.Member.Reset(ctx, plan, u.Kafka.Grow, step); err != nil {
			return fmt.Errorf("cannot reset the state; mend it and run the command again: %w", err)
		}
		fmt.Fprintf(s.stdout, "incarnation %d of %s is scored from its start; next: recoup run\n", plan.Incarnation, topic)
		return nil
	})
}

// lastIncarnation asks ClickHouse which incarnation of the invoices has rows.
func lastIncarnation(ctx context.Context, s *session, loaded *config.Loaded) (int64, error) {
	reader, err := sinks.OpenReader(app.ClickHouse(&loaded.Config, s.logger(loaded.Log)))
	if err != nil {
		return 0, err
	}
	defer func() { _ = reader.Close() }()
	return reader.LastIncarnation(ctx, loaded.Kafka.Topics.Invoices)
}

// stateRepartitionCommand is `recoup state repartition`.
type stateRepartitionCommand struct {
	Yes bool `help:"Do it; without, it is only said what would be done."`
}

// Help is the longer text of `recoup state repartition --help`.
func (*stateRepartitionCommand) Help() string {
	return `For partitions that were added to the topic of the invoices: producers send a customer's invoices elsewhere
then (the key's hash modulo the number of partitions), and recoup refuses to score them without what it knows of the
customer. Repartition adds partitions to the decision log, the state and the baselines, and gives each new partition
a copy of the state of the one that its customers came from, so that a duplicate across the change is found. That needs
a multiple of the partitions there were, such as 16 after 8. All members must be stopped; let them catch up before
partitions are added, for what an old partition holds unscored is not known to the new ones. Until it has ended, recoup
refuses to score; after a crash, run it again.

Examples:

    recoup state repartition
    recoup state repartition --yes`
}

// Run says what would be done, or does it.
func (c *stateRepartitionCommand) Run(ctx context.Context, s *session) error {
	loaded, err := s.settings()
	if err != nil {
		return err
	}
	u, err := openUpkeep(ctx, s, loaded)
	if err != nil {
		return err
	}
	defer u.Close()
	plan, err := u.Member.PlanRepartition(ctx)
	if err != nil {
		return err
	}
	topic := loaded.Kafka.Topics.Invoices
	if plan.From == plan.To {
		fmt.Fprintf(s.stdout, "nothing to do: the state has the %d partitions of %s\n", plan.To, topic)
		return nil
	}
	lag, err := u.Kafka.Lag(ctx, loaded.Kafka.Group, topic)
	if err != nil {
		return err
	}
	waiting := int64(0)
	for p := range plan.From {
		waiting += lag[p]
	}
	if waiting > 0 {
		fmt.Fprintf(s.stderr, "recoup: %d records of the first %d partitions are not scored yet: new partitions will not "+
			"know them\n", waiting, plan.From)
	}
	budget := loaded.Pipeline.Memory.Budget()
	was, is := budget.Share(plan.From), budget.Share(plan.To)
	fmt.Fprintf(s.stderr, "recoup: a partition's share of pipeline.memory falls from %d segments, %d customers, %d pairs "+
		"and %d products to %d, %d, %d and %d; what the first %d hold beyond that is forgotten once they are taken over: "+
		"raise it before, in all processes, to keep it\n", was.Segments, was.Customers, was.Pairs, was.Products,
		is.Segments, is.Customers, is.Pairs, is.Products, plan.From)
	if !c.Yes {
		fmt.Fprintf(s.stdout, "would give each of %d new partitions of %s the state of one of the first %d; to do it, add "+
			"--yes\n", plan.To-plan.From, topic, plan.From)
		return nil
	}
	return changeState(ctx, s, u, loaded, plan.To, func(step func()) error {
		if err := u.Member.Repartition(ctx, plan, u.Kafka.Grow, step); err != nil {
			return fmt.Errorf("cannot repartition the state; mend it and run the command again: %w", err)
		}
		fmt.Fprintf(s.stdout, "the state has the %d partitions of %s; next: recoup run\n", plan.To, topic)
		return nil
	})
}

// openUpkeep connects; the caller closes what it returns.
func openUpkeep(ctx context.Context, s *session, loaded *config.Loaded) (*app.Upkeep, error) {
	health := ops.NewHealth()
	if s.flags.LogLevel == "" {
		loaded.Log.Level = "warn" // the command says itself what it does
	}
	return app.OpenUpkeep(ctx, app.Options{Config: &loaded.Config, Log: s.logger(loaded.Log),
		Registry: ops.NewRegistry(health), Health: health})
}

// changeState does something to the state of so many partitions, with nobody else there.
func changeState(ctx context.Context, s *session, u *app.Upkeep, loaded *config.Loaded, partitions int,
	do func(step func()) error) error {
	members, err := u.Kafka.Members(ctx, loaded.Kafka.Group)
	if err != nil {
		return err
	}
	if members > 0 {
		return fmt.Errorf("cannot change the state: group %q has %d members; stop them first (one that was killed counts "+
			"for %s more)", loaded.Kafka.Group, members, loaded.Kafka.SessionTimeout.Std())
	}
	bar := progressbar.NewOptions(partitions, progressbar.OptionSetWriter(s.stderr),
		progressbar.OptionSetVisibility(isTerminal(s.stderr)), progressbar.OptionSetDescription("partitions"),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	defer func() { _ = bar.Finish() }()
	return do(func() { _ = bar.Add(1) })
}
