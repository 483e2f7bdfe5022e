package incident

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// openIncident is an incident that is not resolved, and what it takes to go on.
type openIncident struct {
	cases.Incident
	value    detectors.Value
	recent   []pace // members of the last hour of event time
	joined   []cases.Member
	opened   bool           // published
	changed  bool           // since it was published
	severity cases.Severity // as published
	said     time.Time      // when it was published last
	why      string
	findings map[string]*cases.FindingCount
	batches  map[string]int64
	restored *cases.Incident // as a predecessor published it; nil: it had none
}

// pace is what one member adds to the loss per hour.
type pace struct {
	event    time.Time
	currency string
	loss     detectors.Loss
}

// tick is one round of the Board.
func (b *Board) tick(now time.Time) []Change {
	if b.began.IsZero() {
		b.began = now
	}
	b.forgetSuspects(now)
	b.follow()
	b.joinFresh()
	bucket := bucketOf(now)
	if bucket != b.bucket {
		b.bucket, b.vain = bucket, 0
	}
	for _, c := range b.choose(b.candidates(bucket), bucket) {
		b.openFor(&c)
	}
	b.adopt()
	changes := b.incidentChanges(now)
	changes = append(changes, b.rateChanges(now)...)
	changes = append(changes, b.blindChanges(now)...)
	b.forgetSums()
	return changes
}

// joinFresh makes members of the suspects that came since the last round: of the
// incident that their worker named, else of one that is open for a value of theirs.
func (b *Board) joinFresh() {
	slices.SortFunc(b.fresh, func(x, y *suspect) int {
		return cmp.Or(cmp.Compare(x.at.Partition, y.at.Partition), cmp.Compare(x.at.Offset, y.at.Offset))
	})
	over := b.overByValue()
	for _, x := range b.fresh {
		i := overOf(x, over)
		if i == nil {
			i = b.openBy(x)
		}
		if i == nil && x.named != "" && !x.late {
			i = b.openNamed(x)
		}
		if i == nil {
			continue
		}
		if x.named != "" && b.aliases[x.named] == nil { // named for another day
			i.alias(x.named)
			b.aliases[x.named] = i
		}
		b.join(i, x)
	}
	b.fresh = b.fresh[:0]
}

// openBy returns the open incident that a suspect belongs to.
func (b *Board) openBy(x *suspect) *openIncident {
	if i := b.aliases[x.named]; x.named != "" && i != nil && b.open[i.Key] == i {
		return i
	}
	for _, v := range x.values {
		if i := b.openNear(v, x.event, x.event); i != nil && i.takes(x.cause) {
			return i
		}
	}
	return nil
}

// overByValue returns the resolved incidents that a predecessor published, but those
// that became part of another one.
func (b *Board) overByValue() map[detectors.Value][]*openIncident {
	over := map[detectors.Value][]*openIncident{}
	for _, key := range sortedKeys(b.over) {
		if i := b.over[key]; i.restored != nil && b.aliases[i.ID] == i {
			over[i.value] = append(over[i.value], i)
		}
	}
	return over
}

// overOf returns the resolved incident that a predecessor had counted a suspect for.
func overOf(x *suspect, over map[detectors.Value][]*openIncident) *openIncident {
	if len(over) == 0 {
		return nil
	}
	for _, v := range x.values {
		for _, i := range over[v] {
			if i.counted(x) && i.near(x.event, x.event) && !x.decided.After(i.LastMember) {
				return i
			}
		}
	}
	return nil
}

// counted tells whether a predecessor had counted a suspect that the incident takes: it
// had read that far, and took its cause, or the worker had named the incident.
func (i *openIncident) counted(x *suspect) bool {
	r := i.restored
	return r != nil && x.at.Offset < r.Counted[x.at.Partition] && (takes(r.Causes, x.cause) ||
		x.named != "" && (x.named == r.ID || slices.Contains(r.Aliases, x.named)))
}

// show makes an incident one of the open ones.
func (b *Board) show(i *openIncident) {
	if b.open[i.Key] != nil {
		b.hide(b.open[i.Key])
	}
	b.open[i.Key] = i
	list := append(b.openOf[i.value], i)
	slices.SortFunc(list, func(x, y *openIncident) int { return cmp.Compare(x.Key, y.Key) })
	b.openOf[i.value] = list
}

// hide makes it none of them.
func (b *Board) hide(i *openIncident) {
	delete(b.open, i.Key)
	list := slices.DeleteFunc(b.openOf[i.value], func(o *openIncident) bool { return o == i })
	if b.openOf[i.value] = list; len(list) == 0 {
		delete(b.openOf, i.value)
	}
}

// takes tells whether suspects of a cause are members.
func (i *openIncident) takes(cause int) bool { return takes(i.Causes, cause) }

func takes(causes []string, cause int) bool {
	return len(causes) == 0 || slices.Contains(causes, detectors.CauseAt(cause))
}

// daysBack is how long before its newest members a worker's incident may have begun.
const daysBack = 40

// triedName is an id of a worker that no value of a suspect of some day makes.
type triedName struct {
	id    string
	value detectors.Value
	day   string
}

// mostUnnamed bounds those that are remembered: an id is a hash, and an invoice's values
// of so many days would be hashed for each suspect.
const mostUnnamed = 10_000

// openNamed opens the incident that a worker named: four of its suspects in a row had
// the same trouble, and the next ones open no case of their own. Which value it is of
// follows from its id.
func (b *Board) openNamed(x *suspect) *openIncident {
	for _, v := range x.values {
		tried := triedName{x.named, v, x.event.Format(time.DateOnly)}
		if b.unnamed[tried] {
			continue
		}
		for back := -1; back <= daysBack; back++ {
			day := x.event.AddDate(0, 0, -back)
			key := detectors.IncidentKey(v.Seller, v.Dimension.String(), v.Name, day)
			if detectors.IncidentID(key) != x.named {
				continue
			}
			if i := b.openNear(v, x.event, x.event); i != nil { // of another day, and of other causes so far
				i.addCause(x.cause)
				return i
			}
			i := b.begin(v, key)
			i.reach(x.event)
			i.Causes = []string{detectors.CauseAt(x.cause)}
			i.why = "suspects in a row have the same trouble"
			return i
		}
		if len(b.unnamed) >= mostUnnamed {
			clear(b.unnamed)
		}
		b.unnamed[tried] = true
	}
	return nil
}

// begin opens an incident, or opens again the one of the same day.
func (b *Board) begin(v detectors.Value, key string) *openIncident {
	i := b.over[key]
	delete(b.over, key)
	if i == nil {
		i = &openIncident{value: v, Incident: cases.Incident{ID: cases.ID(key), Key: key, Seller: v.Seller,
			Dimension: v.Dimension.String(), Value: v.Name, Causes: []string{}, Counted: map[int]int64{}},
			findings: map[string]*cases.FindingCount{}, batches: map[string]int64{}}
	}
	i.opened, i.changed = false, true
	b.show(i)
	b.aliases[i.ID] = i
	return i
}

// openFor opens the incident of a candidate, or adds its cause to the one of its value,
// if there are members enough and they are worth it.
func (b *Board) openFor(c *candidate) {
	members := b.membersFor(c, func(x *suspect) bool { return x.cause == c.cause })
	i := b.openFrom(c)
	if i == nil && (int64(len(members)) < b.settings.LeastMembers || !b.several(members) || !b.worth(members)) {
		b.changed[c.value] = true // its suspects may not have been read yet
		return
	}
	if i == nil {
		i = b.wider(c, members)
	}
	if i == nil {
		first, last := members[0].event, members[0].event
		for _, x := range members {
			if x.event.Before(first) {
				first = x.event
			}
			if x.event.After(last) {
				last = x.event
			}
		}
		i = b.begin(c.value, cases.IncidentKey(c.value.Seller, c.value.Dimension.String(), c.value.Name, first))
		i.reach(first)
		i.reach(last)
		i.Invoices, i.P = c.n, c.p
		i.Expected = b.usual(c, i.has) * float64(c.n) // of the causes that it had when it was over
		i.why = "more suspects have it in common than chance explains"
	}
	if i.addCause(c.cause) {
		i.Expected += c.usual * float64(i.Invoices)
	}
	if b.nearlyAll(i, c) {
		i.Expected += b.usual(c, func(cause int) bool { return !i.has(cause) }) * float64(i.Invoices)
		i.Causes = nil
		members = b.membersFor(c, func(*suspect) bool { return true })
	}
	for _, x := range members {
		b.join(i, x)
	}
}

// membersFor lists the suspects of a candidate's value and window that belong nowhere yet.
func (b *Board) membersFor(c *candidate, is func(*suspect) bool) (list []*suspect) {
	for _, x := range b.byValue[c.value] {
		if x.joined == nil && !x.settled && x.bucket > c.from && x.bucket <= c.to && is(x) {
			list = append(list, x)
		}
	}
	return list
}

// nearlyAll tells whether as good as all suspects of the value have causes of the incident.
func (b *Board) nearlyAll(i *openIncident, c *candidate) bool {
	of, all := 0, 0
	for _, x := range b.byValue[c.value] {
		if x.bucket > c.from && x.bucket <= c.to {
			if all++; i.takes(x.cause) {
				of++
			}
		}
	}
	return float64(of) >= nearlyAll*float64(all)
}

// several tells whether more than one customer is concerned: what goes wrong with one
// is that customer's. Counter sales have no customer.
func (b *Board) several(members []*suspect) bool {
	first := members[0].member.Customer
	return slices.ContainsFunc(members, func(x *suspect) bool {
		return x.member.Customer != first || first == "" || first == invoice.Anonymous
	})
}

// worth tells whether what may come back pays for one investigation, or there are so
// many that it has to be looked at whatever it brings.
func (b *Board) worth(members []*suspect) bool {
	many := int64(0)
	recovery := map[string]invoice.Amount{}
	for _, x := range members {
		if !x.late {
			many++
		}
		back := share(x.recovery(), x.rate)
		recovery[x.member.Currency] = plus(recovery[x.member.Currency], back)
	}
	if many >= b.settings.ManyMembers {
		return true
	}
	for currency, sum := range recovery {
		if cost, known := b.settings.HandlingCost[currency]; known && sum >= cost {
			return true
		}
	}
	return false
}

// stake is what a suspect's incident is urgent for: its loss, but none that the seller
// can no longer claim.
func (x *suspect) stake() detectors.Loss {
	if x.late && x.member.Loss.Point > 0 {
		return detectors.Loss{}
	}
	return x.member.Loss
}

// recovery is what working a suspect may bring, if all of it comes back.
func (x *suspect) recovery() invoice.Amount {
	if x.late {
		return 0
	}
	return share(magnitude(x.member.Loss.Point), x.p)
}

// usual is the usual share of suspects of some causes, as of a candidate's window.
func (b *Board) usual(c *candidate, is func(cause int) bool) (share float64) {
	s, _ := b.spansOf(c.value, c.to)
	for cause := range detectors.Causes {
		if is(cause) {
			share += s.usual(cause)
		}
	}
	return share
}

// has tells whether a cause is one of the incident's.
func (i *openIncident) has(cause int) bool {
	return i.Causes == nil || slices.Contains(i.Causes, detectors.CauseAt(cause))
}

// addCause tells whether the cause is new.
func (i *openIncident) addCause(cause int) bool {
	if i.has(cause) {
		return false
	}
	i.Causes = append(i.Causes, detectors.CauseAt(cause))
	slices.Sort(i.Causes)
	i.changed = true
	return true
}

func (i *openIncident) alias(id string) {
	if !slices.Contains(i.Aliases, id) {
		i.Aliases = append(i.Aliases, id)
		slices.Sort(i.Aliases)
		i.changed = true
	}
}

// adopt gives open incidents the suspects of their value that came before their cause
// was known to be of it.
func (b *Board) adopt() {
	for _, key := range sortedKeys(b.open) {
		i := b.open[key]
		if i.opened {
			continue
		}
		since := bucketOf(i.Since)
		for _, x := range b.byValue[i.value] {
			if x.joined == nil && !x.settled && x.bucket >= since && i.near(x.event, x.event) && i.takes(x.cause) {
				b.join(i, x)
			}
		}
	}
}

// join makes a suspect a member. One that the incident had counted before it was
// restored is known to be one, and counts no more.
func (b *Board) join(i *openIncident, x *suspect) {
	if x.joined != nil {
		return
	}
	x.joined = i
	i.recent = append(i.recent, pace{x.event, x.member.Currency, x.stake()})
	if !i.counted(x) {
		i.add(x)
	}
}

// add counts a member.
func (i *openIncident) add(x *suspect) {
	i.changed = true
	i.joined = append(i.joined, x.member)
	i.Members++
	if x.decided.After(i.LastMember) {
		i.LastMember = x.decided.UTC()
	}
	m := i.money(x.member.Currency)
	m.Members++
	m.Recovery = plus(m.Recovery, x.recovery())
	switch loss := x.stake(); {
	case loss.Point > 0:
		m.TooLow = addLoss(m.TooLow, loss)
	case loss.Point < 0:
		m.TooHigh = addLoss(m.TooHigh, turned(loss))
	}
	first := i.finding(x.member.Finding)
	first.Members++
	first.Lose(x.member.Currency, x.member.Loss.Point)
	for _, f := range x.fits {
		i.finding(f).Fits++
	}
	if x.batch != "" {
		i.batches[x.batch]++
	}
}

func (i *openIncident) finding(name string) *cases.FindingCount {
	f := i.findings[name]
	if f == nil {
		f = &cases.FindingCount{Finding: name}
		i.findings[name] = f
	}
	return f
}

// mostListed bounds the findings and batches that an incident lists.
const mostListed = 10

// list brings what an incident lists up to date.
func (i *openIncident) list(held map[batchKey]bool) {
	i.Findings = i.Findings[:0]
	for _, name := range sortedKeys(i.findings) {
		i.Findings = append(i.Findings, *i.findings[name])
	}
	slices.SortStableFunc(i.Findings, func(a, b cases.FindingCount) int {
		return cmp.Or(cmp.Compare(b.Explains(), a.Explains()), cmp.Compare(b.Fits, a.Fits))
	})
	i.Findings = i.Findings[:min(len(i.Findings), mostListed)]
	i.Batches, i.Held = i.Batches[:0], i.Held[:0]
	for _, name := range sortedKeys(i.batches) {
		i.Batches = append(i.Batches, cases.ValueCount{Value: name, Members: i.batches[name]})
		if held[batchKey{i.Seller, name}] {
			i.Held = append(i.Held, name)
		}
	}
	slices.SortStableFunc(i.Batches, func(a, b cases.ValueCount) int { return cmp.Compare(b.Members, a.Members) })
	i.Batches = i.Batches[:min(len(i.Batches), mostListed)]
	slices.SortStableFunc(i.Money, func(a, b cases.IncidentMoney) int {
		return cmp.Or(cmp.Compare(b.Members, a.Members), cmp.Compare(a.Currency, b.Currency))
	})
}

// copied returns what is given out.
func (i *openIncident) copied() *cases.Incident {
	c := i.Incident
	c.Causes, c.Findings, c.Batches = slices.Clone(c.Causes), slices.Clone(c.Findings), slices.Clone(c.Batches)
	for at := range c.Findings {
		c.Findings[at].Losses = maps.Clone(c.Findings[at].Losses)
	}
	c.Money, c.Held, c.Aliases = slices.Clone(c.Money), slices.Clone(c.Held), slices.Clone(c.Aliases)
	c.Counted = maps.Clone(c.Counted)
	return &c
}
