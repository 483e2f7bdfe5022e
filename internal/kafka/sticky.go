package kafka

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
)

// sticky gives each member what it held before as far as the shares permit: a partition
// that stays needs no take-over. kafka-go's own balancers follow the order of the members'
// random ids, so that one who joins moves nearly every partition. What a member held goes
// along with its wish to join, as in Kafka's StickyAssignor (KIP-54).
type sticky struct{ group *group }

// holding is what a member tells the one that assigns.
type holding struct {
	// Generation is the group's in which the member was assigned the partitions. Of two
	// members that claim one the later holds it: the other slept through a rebalance.
	Generation int32 `json:"generation"`
	Partitions []int `json:"partitions"`
}

// ProtocolName names the way of assignment: members choose one that all of them know, so
// that an older release beside this one makes it range.
func (sticky) ProtocolName() string { return "recoup-sticky" }

// UserData tells what this member holds.
func (s sticky) UserData() ([]byte, error) {
	s.group.mu.Lock()
	defer s.group.mu.Unlock()
	if s.group.last == nil {
		return nil, nil
	}
	held := holding{Generation: s.group.last.gen.ID, Partitions: slices.Sorted(maps.Keys(s.group.last.assigned))}
	return json.Marshal(held)
}

// AssignGroups shares out the partitions of the group's topic.
func (s sticky) AssignGroups(members []kafkago.GroupMember,
	partitions []kafkago.Partition) kafkago.GroupMemberAssignments {
	var ids []int
	for _, p := range partitions {
		if p.Topic == s.group.settings.Topic {
			ids = append(ids, p.ID)
		}
	}
	held := map[string]holding{}
	for _, m := range members {
		var h holding
		_ = json.Unmarshal(m.UserData, &h) // who says nothing that can be read held nothing
		held[m.ID] = h
	}
	out := kafkago.GroupMemberAssignments{}
	for id, share := range shareOut(ids, held) {
		out[id] = map[string][]int{s.group.settings.Topic: share}
	}
	return out
}

// shareOut gives each member, by id, as many partitions as any other or one more, and of
// those it held as many as that permits. The same arguments give the same shares.
func shareOut(partitions []int, held map[string]holding) map[string][]int {
	shares := map[string][]int{}
	if len(held) == 0 {
		return shares
	}
	slices.Sort(partitions)
	order := slices.Sorted(maps.Keys(held)) // who wins where all else is equal
	kept := map[string][]int{}
	for _, p := range partitions {
		owner, since := "", int32(-1)
		for _, id := range order {
			if h := held[id]; h.Generation > since && slices.Contains(h.Partitions, p) {
				owner, since = id, h.Generation
			}
		}
		kept[owner] = append(kept[owner], p)
	}
	// Who keeps most comes first, and with it the shares that are larger by one.
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(len(kept[b]), len(kept[a])) })
	least, larger := len(partitions)/len(order), len(partitions)%len(order)
	quota := map[string]int{}
	free := kept[""]
	for i, id := range order {
		quota[id] = least
		if i < larger {
			quota[id]++
		}
		stays := min(quota[id], len(kept[id]))
		shares[id], free = slices.Clone(kept[id][:stays]), append(free, kept[id][stays:]...)
	}
	slices.Sort(free)
	for _, id := range order {
		gets := quota[id] - len(shares[id])
		shares[id], free = append(shares[id], free[:gets]...), free[gets:]
	}
	return shares
}

// Inherits asks the group's coordinator for its members.
func (g *group) Inherits(ctx context.Context, owned []int) ([]int, error) {
	got, err := g.c.api.DescribeGroups(ctx, &kafkago.DescribeGroupsRequest{GroupIDs: []string{g.settings.ID}})
	if err == nil && len(got.Groups) > 0 {
		err = got.Groups[0].Error
	}
	if starting(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot ask for the members of group %q: %w", g.settings.ID, g.c.explain(ctx, err))
	}
	g.mu.Lock()
	last := g.last
	g.mu.Unlock()
	if last == nil || len(got.Groups) == 0 || got.Groups[0].GroupState != "Stable" {
		return nil, nil
	}
	have := map[string][]int{}
	for _, m := range got.Groups[0].Members {
		have[m.MemberID] = nil
		for _, t := range m.MemberAssignments.Topics {
			if t.Topic == g.settings.Topic {
				have[m.MemberID] = append(have[m.MemberID], t.Partitions...)
			}
		}
	}
	return heritage(have, last.gen.MemberID, owned), nil
}

// heritage is what a member would get beside what it has, given what each has, if the group
// shared out again without the owners of some partitions.
func heritage(have map[string][]int, member string, owned []int) (more []int) {
	goes := func(p int) bool { return slices.Contains(owned, p) }
	held := map[string]holding{}
	var all []int
	for id, partitions := range have {
		all = append(all, partitions...)
		if !slices.ContainsFunc(partitions, goes) {
			held[id] = holding{Partitions: partitions}
		}
	}
	for _, p := range shareOut(all, held)[member] {
		if !slices.Contains(have[member], p) {
			more = append(more, p)
		}
	}
	slices.Sort(more)
	return more
}
