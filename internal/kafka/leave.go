package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"recoup/pipeline"
)

// leavePause is how long leave rests at most before it tries again.
const leavePause = 500 * time.Millisecond

// forsake takes the member of the last generation out of the group. Behind an error
// kafka-go forgets who it was and joins as somebody else; if the broker was away it could
// not say so, and all members would wait until the session of the one before has ended.
func (g *group) forsake() {
	g.mu.Lock()
	last := g.last
	g.mu.Unlock()
	if last != nil {
		last.forsaken.Do(func() { go g.leave(last) })
	}
}

// leave tells the coordinator that the member of a generation is gone, until it hears or
// does not matter any longer.
func (g *group) leave(last *generation) {
	for wait := leaderPause; ; wait = min(2*wait, leavePause) {
		time.Sleep(wait)
		g.mu.Lock()
		over := g.closed || g.last != last
		g.mu.Unlock()
		if over {
			return
		}
		if g.leaveOnce(last) {
			return
		}
	}
}

// leaveOnce tells the coordinator once, and reports whether the member is gone.
func (g *group) leaveOnce(last *generation) bool {
	ctx, cancel := context.WithTimeout(context.Background(), g.c.settings.RequestTimeout)
	defer cancel()
	got, err := g.c.api.LeaveGroup(ctx, &kafkago.LeaveGroupRequest{GroupID: g.settings.ID,
		Members: []kafkago.LeaveGroupRequestMember{{ID: last.gen.MemberID}}})
	if err == nil {
		err = got.Error
		for _, m := range got.Members { // none where all was refused
			err = cmp.Or(err, m.Error)
		}
	}
	if err == nil || errors.Is(err, kafkago.UnknownMemberId) {
		return true
	}
	g.c.log.Debug("kafka: cannot leave", "group", g.settings.ID, "member", last.gen.MemberID, "err", err)
	return false
}

// SayLeaving has later commits of the partition carry pipeline.Leaving.
func (g *generation) SayLeaving(partition int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leaving[partition] = true
}

// said returns offsets with what their commit is to say, nil where it says nothing.
func (g *generation) said(offsets map[int]int64) (list []kafkago.OffsetCommit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	says := false
	for p, offset := range offsets {
		c := kafkago.OffsetCommit{Partition: p, Offset: offset}
		if g.leaving[p] {
			says, c.Metadata = true, pipeline.Leaving
		}
		list = append(list, c)
	}
	if !says {
		return nil
	}
	return list
}

// commitSaid commits offsets with their metadata, which kafka-go's generation cannot. The
// coordinator checks member and generation all the same.
func (g *generation) commitSaid(ctx context.Context, offsets []kafkago.OffsetCommit) error {
	got, err := g.group.c.api.OffsetCommit(ctx, &kafkago.OffsetCommitRequest{GroupID: g.gen.GroupID,
		GenerationID: int(g.gen.ID), MemberID: g.gen.MemberID,
		Topics: map[string][]kafkago.OffsetCommit{g.group.settings.Topic: offsets}})
	if err != nil {
		return err
	}
	answers := got.Topics[g.group.settings.Topic]
	if len(answers) != len(offsets) {
		return fmt.Errorf("%d of %d partitions were answered", len(answers), len(offsets))
	}
	for _, p := range answers {
		if p.Error != nil {
			return p.Error
		}
	}
	return nil
}
