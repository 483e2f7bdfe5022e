package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"recoup/internal/app"
	"recoup/internal/config"
	"recoup/internal/kafka"
)

// topicsCommand is `recoup topics`.
type topicsCommand struct {
	Create topicsCreateCommand `cmd:"" help:"Make the topics that are missing; the others are left as they are."`
	List   topicsListCommand   `cmd:"" help:"Show every topic, how it is and how it should be."`
}

// defaultPartitions is how many partitions the invoices get when nobody says.
const defaultPartitions = 12

// topicsCreateCommand is `recoup topics create`.
type topicsCreateCommand struct {
	DryRun      bool `help:"Say what would be done, do nothing."`
	Partitions  int  `placeholder:"N" help:"Partitions of the invoices. By default as many as they have, else 12."`
	Replication int  `placeholder:"N" help:"Brokers that hold each partition. By default what the cluster gives."`
}

// Help is the longer text of `recoup topics create --help`.
func (*topicsCreateCommand) Help() string {
	return `Makes the topics of kafka.topics that are missing, with the settings recoup needs. Decision log, state and
baselines get as many partitions as the invoices have: the number is the most processes that can share the work, and
raising it later means rewriting the state, so choose it for the years to come.

Examples:

    recoup topics create --dry-run
    recoup topics create --partitions 24 --replication 3`
}

// Run creates what is missing.
func (c *topicsCreateCommand) Run(ctx context.Context, s *session) error {
	if c.Partitions < 0 || c.Replication < 0 {
		return usage("cannot create topics with %d partitions and %d replicas: expected numbers above 0",
			c.Partitions, c.Replication)
	}
	loaded, client, partitions, err := openTopics(ctx, s)
	if err != nil {
		return err
	}
	defer client.Close()
	if partitions > 0 && c.Partitions > 0 && c.Partitions != partitions {
		return fmt.Errorf("cannot use --partitions %d: topic %s is there with %d; leave the flag out",
			c.Partitions, loaded.Kafka.Topics.Invoices, partitions)
	}
	table := loaded.TopicTable(max(partitions, c.Partitions, 0))
	if partitions == 0 && c.Partitions == 0 {
		table = loaded.TopicTable(defaultPartitions)
	}
	reports, err := client.EnsureTopics(ctx, topicSpecs(table, c.Replication), c.DryRun)
	if err != nil {
		return err
	}
	c.print(s, table, reports)
	return nil
}

func (c *topicsCreateCommand) print(s *session, table []config.Topic, reports []kafka.TopicReport) {
	created, would := 0, ""
	if c.DryRun {
		would = "would be "
	}
	for i, r := range reports {
		switch {
		case r.Created:
			created++
			fmt.Fprintf(s.stdout, "%screated  %s: %d partitions, %s\n", would, r.Name, table[i].Partitions,
				settingsText(table[i].Settings))
		case len(r.Differences) > 0:
			fmt.Fprintf(s.stdout, "differs  %s: %s\n", r.Name, strings.Join(r.Differences, "; "))
		default:
			fmt.Fprintf(s.stdout, "there    %s\n", r.Name)
		}
	}
	fmt.Fprintf(s.stdout, "%d of %d topics %screated; next: recoup doctor\n", created, len(reports), would)
}

// openTopics connects to the configured cluster and asks it for invoicePartitions.
// The caller closes the client.
func openTopics(ctx context.Context, s *session) (
	loaded *config.Loaded, client *kafka.Client, partitions int, err error) {
	if loaded, err = s.settings(); err != nil {
		return nil, nil, 0, err
	}
	if client, err = app.Kafka(&loaded.Config, s.logger(loaded.Log)); err != nil {
		return nil, nil, 0, err
	}
	if partitions, err = invoicePartitions(ctx, client, &loaded.Config); err != nil {
		_ = client.Close()
		return nil, nil, 0, err
	}
	return loaded, client, partitions, nil
}

// invoicePartitions returns how many partitions the invoices have, 0 when the
// topic is missing.
func invoicePartitions(ctx context.Context, client *kafka.Client, c *config.Config) (int, error) {
	found, err := client.Describe(ctx, c.Kafka.Topics.Invoices)
	if err != nil {
		return 0, err
	}
	return found[0].Partitions, nil
}

// topicSpecs turns the table into what the cluster is asked for.
func topicSpecs(table []config.Topic, replication int) []kafka.TopicSpec {
	specs := make([]kafka.TopicSpec, len(table))
	for i, t := range table {
		settings := maps.Clone(t.Settings)
		if replication >= 3 {
			// Acknowledged means on two brokers at least; one may then be lost.
			settings["min.insync.replicas"] = "2"
		}
		specs[i] = kafka.TopicSpec{Name: t.Name, Partitions: t.Partitions, Replication: replication, Config: settings}
	}
	return specs
}

func settingsText(settings map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		parts = append(parts, name+"="+settings[name])
	}
	return strings.Join(parts, " ")
}

// topicsListCommand is `recoup topics list`.
type topicsListCommand struct{}

// Run prints a table of the topics.
func (*topicsListCommand) Run(ctx context.Context, s *session) error {
	loaded, client, partitions, err := openTopics(ctx, s)
	if err != nil {
		return err
	}
	defer client.Close()
	if partitions == 0 {
		partitions = defaultPartitions
	}
	table := loaded.TopicTable(partitions)
	found, err := client.Describe(ctx, topicNames(table)...)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TOPIC\tROLE\tPARTITIONS\tREPLICAS\tSTATE")
	for i, t := range found {
		state := "ok"
		switch problems := topicProblems(table[i], t); {
		case !t.Exists:
			fmt.Fprintf(w, "%s\t%s\t-\t-\tmissing: recoup topics create\n", t.Name, table[i].Role)
			continue
		case len(problems) > 0:
			state = strings.Join(problems, "; ")
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", t.Name, table[i].Role, t.Partitions, t.Replication, state)
	}
	return w.Flush()
}

func topicNames(table []config.Topic) []string {
	names := make([]string, len(table))
	for i, t := range table {
		names[i] = t.Name
	}
	return names
}
