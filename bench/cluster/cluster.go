// Package cluster runs recoup as its users do: processes of the real binary, members
// of one group, on a Kafka and a ClickHouse. Benches and fault tests start, kill,
// pause and stop members through it.
package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/pipeline"
)

// Options say where to install recoup.
type Options struct {
	// Dir holds the binary, the configuration and the members' logs; it must exist.
	Dir string
	// Binary is a recoup that was built already. By default it is built into Dir.
	Binary string
	// Broker and ClickHouse are host:port, of ClickHouse that of the native protocol.
	Broker, ClickHouse string
	// Name begins the names of topics, group and database, so that several
	// installations can share the servers. By default they have recoup's own names.
	Name string
	// Partitions is how many partitions the invoices have.
	Partitions int
	// Adjust changes the configuration of all members. By default nothing.
	Adjust func(*config.Config)
}

// Cluster is an installation of recoup: topics, tables and members.
type Cluster struct {
	// Config is what all members run with, but for their HTTP addresses.
	Config *config.Config
	// Kafka reaches the broker; the topics' names are in Config.
	Kafka *kafka.Client

	dir, binary, file string
	members           []*Member
	calm              map[duties]int // goroutines that members had at NoteCalm, at most
}

// Install builds recoup where needed, writes its configuration, and makes topics and
// tables by recoup's own commands. The caller ends it with Close.
func Install(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{Config: o.config(), dir: o.Dir, binary: o.Binary, file: filepath.Join(o.Dir, "recoup.yaml")}
	if c.binary == "" {
		c.binary = filepath.Join(o.Dir, "recoup")
		if err := run(ctx, "go", "build", "-o", c.binary, "recoup/cmd/recoup"); err != nil {
			return nil, err
		}
	}
	settings, err := settings(c.Config)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.file, settings, 0o644); err != nil {
		return nil, err
	}
	err = c.Command(ctx, "topics", "create", "--partitions", fmt.Sprint(o.Partitions), "--replication", "1")
	if err != nil {
		return nil, err
	}
	if err := c.stamp(ctx); err != nil {
		return nil, err
	}
	if err := c.Command(ctx, "migrate"); err != nil {
		return nil, err
	}
	c.Kafka, err = kafka.Connect(kafka.Settings{Brokers: []string{o.Broker}, ClientID: "recoup-bench"})
	return c, err
}

// config returns recoup's defaults with the names and addresses of the options.
func (o *Options) config() *config.Config {
	c := config.Default()
	c.Kafka.Brokers, c.ClickHouse.Addresses = []string{o.Broker}, []string{o.ClickHouse}
	if o.Name != "" {
		c.Kafka.Group, c.ClickHouse.Database = o.Name, strings.ReplaceAll(o.Name, "-", "_")
		topics := reflect.ValueOf(&c.Kafka.Topics).Elem()
		for i := range topics.NumField() {
			topic := topics.Field(i)
			topic.SetString(o.Name + "." + topic.String())
		}
	}
	if o.Adjust != nil {
		o.Adjust(&c)
	}
	return &c
}

// settings returns what differs from recoup's defaults, as YAML: a release that is older
// than this source can read it, too.
func settings(c *config.Config) ([]byte, error) {
	var trees [2]map[string]any
	for i, c := range []config.Config{config.Default(), *c} {
		var text bytes.Buffer
		if err := (&config.Loaded{Config: c}).Print(&text); err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(text.Bytes(), &trees[i]); err != nil {
			return nil, err
		}
	}
	dropEqual(trees[1], trees[0])
	return yaml.Marshal(trees[1])
}

// dropEqual takes out of a tree what another one has as well.
func dropEqual(tree, other map[string]any) {
	for key, value := range tree {
		mine, is := value.(map[string]any)
		others, both := other[key].(map[string]any)
		if is && both {
			dropEqual(mine, others)
		}
		if reflect.DeepEqual(value, other[key]) || is && len(mine) == 0 {
			delete(tree, key)
		}
	}
}

// Close kills the members that still run.
func (c *Cluster) Close() {
	for _, m := range c.members {
		m.Kill()
	}
	if c.Kafka != nil {
		_ = c.Kafka.Close()
	}
}

// Command runs a command of recoup that must succeed; what it prints stands in the error.
func (c *Cluster) Command(ctx context.Context, args ...string) error {
	return run(ctx, c.binary, append([]string{"--config", c.file}, args...)...)
}

// run listens on any free port, for another cluster may do the same beside this one.
func run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "RECOUP_HTTP_LISTEN=127.0.0.1:0")
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot run %s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, output)
	}
	return nil
}

// ConfigFile names the configuration that members run with.
func (c *Cluster) ConfigFile() string { return c.file }

// Members returns all members that ever joined, in that order.
func (c *Cluster) Members() []*Member { return c.members }

// drainPoll is how often Drain looks.
const drainPoll = 250 * time.Millisecond

// Drain waits until every invoice is committed and tells progress, which may be nil,
// how many of how many are. Members must run. A broker that does not answer is
// asked again until ctx ends; then the error says what it answered last, and how
// members ended that should drain.
func (c *Cluster) Drain(ctx context.Context, progress func(done, all int64)) error {
	topic, log := c.Config.Kafka.Topics.Invoices, c.Kafka.Log()
	var left, all int64
	var last error
	for {
		lag, err := c.Kafka.Lag(ctx, c.Config.Kafka.Group, topic)
		left, all = 0, 0
		for partition, n := range lag {
			_, end, boundsErr := log.Bounds(ctx, topic, partition)
			if boundsErr != nil {
				err = boundsErr
			}
			left, all = left+n, all+end
		}
		if err == nil {
			if progress != nil {
				progress(all-left, all)
			}
			if left == 0 && len(lag) > 0 {
				return nil
			}
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			err := fmt.Errorf("cannot drain: %d of %d records wait: %w", left, all, context.Cause(ctx))
			return errors.Join(append([]error{err, last}, c.Ended()...)...)
		case <-time.After(drainPoll):
		}
	}
}

// AwaitSweep waits until owners have looked for rows that a predecessor stored a second
// time, because it was paused for longer than its session inside an insert: each does
// so a minute after its take-over. Members must run.
func (c *Cluster) AwaitSweep(ctx context.Context) error {
	const slack = 5 * time.Second
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(c.Config.Kafka.SessionTimeout.Std() + pipeline.DefaultOptions().SweepAfter + slack):
		return nil
	}
}

// Settle stops all members cleanly and runs one to the end of every topic, so that
// the last checkpoint is written and everything is copied.
func (c *Cluster) Settle(ctx context.Context) error {
	for _, m := range c.members {
		if m.Running() {
			if err := m.Stop(ctx); err != nil {
				return err
			}
		}
	}
	return c.Command(ctx, "run", "--until-caught-up")
}

// Ended says of each member that has ended how it did.
func (c *Cluster) Ended() (how []error) {
	for _, m := range c.members {
		if err := m.Ended(); err != nil {
			how = append(how, fmt.Errorf("%s: %w", m.Name, err))
		}
	}
	return how
}
