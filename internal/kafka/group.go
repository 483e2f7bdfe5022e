package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"strings"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"recoup/pipeline"
)

// GroupSettings describe a member of a consumer group on one topic. ID and Topic
// are required.
type GroupSettings struct {
	// ID names the group.
	ID string
	// Topic is the topic whose partitions the group shares.
	Topic string
	// SessionTimeout is how long the group waits for a silent member before it
	// evicts it; brokers refuse less than 6 s. By default 10 s.
	SessionTimeout time.Duration
	// HeartbeatInterval is how often a member shows that it lives; a rebalance is
	// noticed no sooner. By default 1 s.
	HeartbeatInterval time.Duration
	// RebalanceTimeout is how long a rebalance waits for a member to stop its
	// workers before it goes on without it. By default 30 s.
	RebalanceTimeout time.Duration
	// JoinBackoff is the pause after a failed attempt to join. By default 250 ms.
	JoinBackoff time.Duration
}

// closePatience is how long Close waits for an answer before it hangs up.
const closePatience = time.Second

// group is the pipeline.Group of a cluster: one member.
type group struct {
	c        *Client
	settings GroupSettings

	mu         sync.Mutex // guards what follows
	members    *kafkago.ConsumerGroup
	last       *generation
	conns      map[*groupConn]struct{}
	partitions int // of the topic; 0: it has not joined yet
	closed     bool
}

// Group returns a new member of a consumer group. It joins at its first Next.
func (c *Client) Group(s GroupSettings) pipeline.Group {
	s.SessionTimeout = cmp.Or(s.SessionTimeout, 10*time.Second)
	s.HeartbeatInterval = cmp.Or(s.HeartbeatInterval, time.Second)
	s.RebalanceTimeout = cmp.Or(s.RebalanceTimeout, 30*time.Second)
	s.JoinBackoff = cmp.Or(s.JoinBackoff, 250*time.Millisecond)
	return &group{c: c, settings: s, conns: map[*groupConn]struct{}{}}
}

// Next joins the group if needed and waits for this member's next assignment. A
// broker that is only starting is waited for.
func (g *group) Next(ctx context.Context) (pipeline.Generation, error) {
	members, err := g.join(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot join group %q: %w", g.settings.ID, err)
	}
	for {
		gen, err := members.Next(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, kafkago.RebalanceInProgress) {
			g.forsake()
		}
		switch {
		case err == nil:
			return g.start(gen), nil
		case ctx.Err() == nil && starting(err):
			g.c.log.Info("kafka: waiting for the group's coordinator", "group", g.settings.ID, "answer", err)
		default:
			return nil, fmt.Errorf("cannot join group %q: %w", g.settings.ID, g.c.explain(ctx, err))
		}
	}
}

// Committed asks the group's coordinator, for as many partitions as there were when this
// member joined last: it is asked often.
func (g *group) Committed(ctx context.Context) (map[int]pipeline.Committed, error) {
	g.mu.Lock()
	n := g.partitions
	g.mu.Unlock()
	if n == 0 {
		var err error
		if n, err = g.c.Log().Partitions(ctx, g.settings.Topic); err != nil {
			return nil, fmt.Errorf("cannot read the offsets of group %q: %w", g.settings.ID, err)
		}
	}
	return g.c.committed(ctx, g.settings.ID, g.settings.Topic, n)
}

// join makes sure that the topic exists, for a group on a missing topic looks
// like one without work, and that kafka-go is joining.
func (g *group) join(ctx context.Context) (*kafkago.ConsumerGroup, error) {
	n, err := g.c.Log().Partitions(ctx, g.settings.Topic)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.partitions = n
	if g.closed {
		return nil, errors.New("this member is closed")
	}
	if g.members != nil {
		return g.members, nil
	}
	debug := slogger{log: g.c.log.With("group", g.settings.ID)}
	dialer := *g.c.dialer
	dialer.DialFunc = g.dial
	members, err := kafkago.NewConsumerGroup(kafkago.ConsumerGroupConfig{
		ID:                g.settings.ID,
		Brokers:           g.c.settings.Brokers,
		Dialer:            &dialer,
		Topics:            []string{g.settings.Topic},
		GroupBalancers:    []kafkago.GroupBalancer{sticky{g}, kafkago.RangeGroupBalancer{}},
		SessionTimeout:    g.settings.SessionTimeout,
		HeartbeatInterval: g.settings.HeartbeatInterval,
		RebalanceTimeout:  g.settings.RebalanceTimeout,
		JoinGroupBackoff:  g.settings.JoinBackoff,
		StartOffset:       kafkago.FirstOffset,
		Timeout:           g.c.settings.RequestTimeout,
		Logger:            debug,
		ErrorLogger:       debug,
	})
	g.members = members
	return members, err
}

// starting reports whether err is how a group answers while it or its broker
// comes up, or while other members come and go: kafka-go tries again by itself.
func starting(err error) bool {
	for _, e := range []error{
		kafkago.GroupLoadInProgress, kafkago.GroupCoordinatorNotAvailable, kafkago.NotCoordinatorForGroup,
		kafkago.RebalanceInProgress, kafkago.UnknownMemberId, kafkago.IllegalGeneration, kafkago.MemberIDRequired,
		kafkago.UnknownTopicOrPartition, kafkago.LeaderNotAvailable,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// start makes kafka-go's generation end when, and only when, the broker ends it
// or Leave is called: one function lives as long as the generation's workers.
func (g *group) start(gen *kafkago.Generation) *generation {
	out := &generation{
		group:    g,
		gen:      gen,
		assigned: map[int]int64{},
		done:     make(chan struct{}),
		left:     make(chan struct{}),
		leaving:  map[int]bool{},
	}
	for _, p := range gen.Assignments[g.settings.Topic] {
		out.assigned[p.ID] = max(p.Offset, -1) // kafka-go gives FirstOffset, -2, where none was committed
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		out.Leave()
	}
	g.last = out
	gen.Start(func(ctx context.Context) {
		select {
		case <-ctx.Done():
		case <-out.left:
		case <-out.done:
		}
		out.end()
		// kafka-go keeps the connection, over which a last commit may still go, and
		// rejoins only once this function returns.
		<-out.left
	})
	return out
}

// Close leaves the group; its last generation counts as left.
func (g *group) Close() error {
	g.mu.Lock()
	g.closed = true
	last, members := g.last, g.members
	g.mu.Unlock()
	if members == nil {
		return nil
	}
	gone := make(chan error, 1)
	go func() { gone <- members.Close() }()
	if last != nil {
		last.Leave()
		// kafka-go may have begun to join again, and waits for all others now: then it would
		// not leave at all, and they would wait for it until its session has ended.
		go g.leaveOnce(last)
	}
	for {
		select {
		case err := <-gone:
			return err
		case <-time.After(closePatience):
			g.hangUp()
		}
	}
}

// hangUp breaks off what kafka-go waits for: it cannot stop waiting for the
// other members of a rebalance by itself.
func (g *group) hangUp() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for conn := range g.conns {
		_ = conn.Conn.Close()
	}
}

// dial opens a connection that hangUp knows.
func (g *group) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := g.c.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	known := &groupConn{Conn: conn, group: g}
	g.conns[known] = struct{}{}
	return known, nil
}

type groupConn struct {
	net.Conn
	group *group
}

// Close closes the connection and forgets it.
func (c *groupConn) Close() error {
	c.group.mu.Lock()
	delete(c.group.conns, c)
	c.group.mu.Unlock()
	return c.Conn.Close()
}

// generation is the pipeline.Generation of a cluster.
type generation struct {
	group    *group
	gen      *kafkago.Generation
	assigned map[int]int64

	ends, leaves, forsaken sync.Once
	done                   chan struct{} // closed by end
	left                   chan struct{} // closed by Leave

	mu      sync.Mutex   // guards leaving
	leaving map[int]bool // partitions whose commits say so
}

// Assigned returns a copy of the assignment.
func (g *generation) Assigned() map[int]int64 { return maps.Clone(g.assigned) }

// Done is closed when the broker ended the generation, at a refused commit, or
// at Leave.
func (g *generation) Done() <-chan struct{} { return g.done }

// Leave lets kafka-go go on to the next generation; commits are refused from now on.
func (g *generation) Leave() { g.leaves.Do(func() { close(g.left) }) }

func (g *generation) end() { g.ends.Do(func() { close(g.done) }) }

// Commit stores the offsets with the group's coordinator. While a rebalance
// waits for this member, the broker still takes them: nobody else owns the
// partitions yet.
func (g *generation) Commit(ctx context.Context, offsets map[int]int64) error {
	err := ctx.Err()
	if err == nil {
		select {
		case <-g.left:
			err = pipeline.ErrFenced
		default:
			err = g.commit(ctx, offsets)
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kafkago.IllegalGeneration), errors.Is(err, kafkago.UnknownMemberId),
		errors.Is(err, kafkago.RebalanceInProgress), errors.Is(err, kafkago.FencedInstanceID):
		g.end() // no need to wait for the next heartbeat to be refused too
		err = fmt.Errorf("%w: %w", pipeline.ErrFenced, err)
	case !errors.Is(err, pipeline.ErrFenced):
		err = g.group.c.explain(ctx, err)
	}
	return fmt.Errorf("cannot commit for group %q: %w", g.group.settings.ID, err)
}

// commit gives up waiting when ctx ends: kafka-go's call takes none, and a silent
// broker must not hold up a member that wants to leave.
func (g *generation) commit(ctx context.Context, offsets map[int]int64) error {
	if said := g.said(offsets); said != nil {
		return g.commitSaid(ctx, said)
	}
	done := make(chan error, 1)
	go func() {
		done <- g.gen.CommitOffsets(map[string]map[int]int64{g.group.settings.Topic: offsets})
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// slogger writes kafka-go's log at debug level.
type slogger struct{ log *slog.Logger }

// Printf writes one line.
func (s slogger) Printf(format string, args ...any) {
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.log.Debug("kafka: " + strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}
