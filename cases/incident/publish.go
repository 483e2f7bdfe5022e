package incident

import (
	"maps"
	"math"
	"slices"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

const (
	// leastPause is how long an incident waits with what is not urgent: new members.
	leastPause = 5 * time.Second
	// quiet is how long a value may bill nothing at all before its incident ends though
	// nobody held anything and no right invoice shows that it is over.
	quiet = 24 * time.Hour
	// clearly is how sure right invoices have to make it that the trouble is over.
	clearly = 0.05
)

// incidentChanges says what became of incidents.
func (b *Board) incidentChanges(now time.Time) (out []Change) {
	for _, key := range sortedKeys(b.open) {
		i := b.open[key]
		if i.Members == 0 { // an alias without members
			continue
		}
		i.list(b.held)
		b.measure(i, now)
		severity := b.severity(&i.Incident)
		action, why := cases.ActionUpdate, i.why
		over, reason := b.isOver(i, now)
		switch {
		case !i.opened:
			action = cases.ActionOpen
		case over:
			action, why = cases.ActionResolve, reason
			b.hide(i)
			b.over[key] = i
		case severity == i.severity && (!i.changed || now.Sub(i.said) < leastPause):
			continue
		}
		i.opened, i.changed, i.severity, i.said = true, false, severity, now
		for p, offset := range b.read {
			i.Counted[p] = max(i.Counted[p], offset)
		}
		out = append(out, Change{Action: action, Severity: severity, Incident: i.copied(), Joined: i.joined, Why: why})
		i.joined = nil
	}
	for _, i := range b.merged {
		i.list(b.held)
		out = append(out, Change{Action: cases.ActionResolve, Severity: i.severity, Incident: i.copied(), Joined: i.joined,
			Why: i.why})
	}
	b.merged = nil
	for key, i := range b.over {
		if now.Sub(i.said) > 2*quiet { // its day is over: it will not open again
			delete(b.over, key)
			for _, id := range append([]string{i.ID}, i.Aliases...) {
				if b.aliases[id] == i {
					delete(b.aliases, id)
				}
			}
		}
	}
	return out
}

// severity of an incident. One that is about a person's work is for the person's team,
// in the daytime.
func (b *Board) severity(i *cases.Incident) cases.Severity {
	if i.Dimension == detectors.DimensionOperator.String() {
		return cases.SeverityWarning
	}
	for _, m := range i.Money {
		if limit, set := b.settings.PageLoss[m.Currency]; set && m.AtLeast >= limit {
			return cases.SeverityCritical
		}
	}
	return cases.SeverityWarning
}

const (
	paceWindow  = time.Hour
	leastWindow = 15 * time.Minute // four members in a second are not 14,400 an hour
)

// measure brings the loss per hour up to date: of the members of the last hour in
// which there were any; none when that is over for an hour.
func (b *Board) measure(i *openIncident, now time.Time) {
	if len(i.recent) == 0 && now.Sub(i.LastMember) <= paceWindow {
		return // restored: what was measured then still holds
	}
	newest := time.Time{}
	for _, p := range i.recent {
		if p.event.After(newest) {
			newest = p.event
		}
	}
	from := newest.Add(-paceWindow)
	i.recent = slices.DeleteFunc(i.recent, func(p pace) bool { return !p.event.After(from) })
	span := paceWindow
	if i.Since.After(from) {
		span = max(leastWindow, newest.Sub(i.Since))
	}
	still := now.Sub(i.LastMember) <= paceWindow
	for at := range i.Money {
		m := &i.Money[at]
		low, high := lossPerHour(i.recent, m.Currency, span, false), lossPerHour(i.recent, m.Currency, span, true)
		m.PerHour, m.AtLeast = 0, 0
		if still {
			m.PerHour, m.AtLeast = max(low.point, high.point), max(low.least, high.least)
		}
	}
}

type perHour struct{ point, least invoice.Amount }

// lossPerHour projects what members of one direction came to in a span. The lower
// bound takes the least each may have lost, and as few members as so many may have
// come of by chance.
func lossPerHour(recent []pace, currency string, span time.Duration, tooHigh bool) (h perHour) {
	var n int64
	for _, p := range recent {
		loss := p.loss
		if tooHigh {
			loss = turned(loss)
		}
		if p.currency == currency && loss.Point > 0 {
			n++
			h.point, h.least = plus(h.point, loss.Point), plus(h.least, max(0, loss.Low))
		}
	}
	if n == 0 {
		return perHour{}
	}
	hours := float64(time.Hour) / float64(span)
	return perHour{share(h.point, hours), share(h.least, hours*poissonLower(n)/float64(n))}
}

// isOver tells whether an incident has ended: no member came for half an hour, and a
// person holds its batches, or its value bills rightly again, or bills nothing for a day.
func (b *Board) isOver(i *openIncident, now time.Time) (over bool, why string) {
	since := now.Sub(i.LastMember)
	if since < b.settings.ResolveAfter {
		return false, ""
	}
	none := "no new member for " + since.Round(time.Minute).String()
	var inHeld int64
	for _, name := range i.Held {
		inHeld += i.batches[name]
	}
	switch {
	case inHeld > 0 && inHeld == i.Members:
		return true, none + ", and its batches are held"
	case b.right(i):
		return true, none + ", and what is billed is right again"
	case since >= quiet:
		return true, none
	}
	return false, ""
}

// right tells whether so many invoices of the value have come without a member that
// the trouble would have shown.
func (b *Board) right(i *openIncident) bool {
	known := b.values[i.value]
	if known == nil || i.Members == 0 {
		return false
	}
	last := bucketOf(i.Until)
	var during, after int64
	for _, c := range b.total(known).Recent {
		switch {
		case c.At > last:
			after += int64(c.Invoices)
		case c.At >= bucketOf(i.Since):
			during += int64(c.Invoices)
		}
	}
	share := min(1, float64(i.Members)/float64(max(during, i.Members)))
	return after > 0 && float64(after)*math.Log1p(-min(share, 0.999)) < math.Log(clearly)
}

func (b *Board) hold(seller, batch string, held bool) {
	key := batchKey{seller, batch}
	if b.held[key] == held {
		return
	}
	if b.held[key] = held; !held {
		delete(b.held, key)
	}
	for _, i := range b.open {
		if i.Seller == seller && i.batches[batch] > 0 {
			i.changed = true
		}
	}
}

func (b *Board) restore(from *cases.Incident) {
	i := b.revive(from)
	if i == nil {
		return
	}
	for _, name := range from.Held {
		b.held[batchKey{from.Seller, name}] = true
	}
	b.show(i)
	b.aliases[i.ID] = i
	for _, alias := range i.Aliases {
		b.aliases[alias] = i
	}
}

// restoreOver takes back a resolved incident. One that ended as part of another has its
// id among the other's aliases, and its members there.
func (b *Board) restoreOver(from *cases.Incident, resolved time.Time) {
	i := b.revive(from)
	if i == nil {
		return
	}
	i.said = resolved
	b.over[i.Key] = i
	for _, id := range append([]string{i.ID}, i.Aliases...) {
		if b.aliases[id] == nil {
			b.aliases[id] = i
		}
	}
}

// revive returns an incident as it was published; nil if its dimension is unknown.
func (b *Board) revive(from *cases.Incident) *openIncident {
	d, ok := detectors.ParseDimension(from.Dimension)
	if !ok {
		return nil
	}
	i := &openIncident{value: detectors.Value{Seller: from.Seller, Dimension: d, Name: from.Value}, opened: true,
		findings: map[string]*cases.FindingCount{}, batches: map[string]int64{}, Incident: *from}
	i.Incident = *i.copied()
	i.restored = i.copied()
	i.Until = from.Latest()
	if i.Counted == nil {
		i.Counted = map[int]int64{}
	}
	for _, f := range from.Findings {
		f.Losses = maps.Clone(f.Losses)
		i.findings[f.Finding] = &f
	}
	for _, v := range from.Batches {
		i.batches[v.Value] = v.Members
	}
	i.severity = b.severity(&i.Incident)
	return i
}

func (b *Board) list() (all []*cases.Incident) {
	for _, key := range sortedKeys(b.open) {
		all = append(all, b.open[key].copied())
	}
	return all
}

func (i *openIncident) money(currency string) *cases.IncidentMoney {
	at := slices.IndexFunc(i.Money, func(m cases.IncidentMoney) bool { return m.Currency == currency })
	if at < 0 {
		i.Money = append(i.Money, cases.IncidentMoney{Currency: currency})
		at = len(i.Money) - 1
	}
	return &i.Money[at]
}

// plus adds amounts and stays at the end of their range.
func plus(a, b invoice.Amount) invoice.Amount {
	if sum, ok := a.Add(b); ok {
		return sum
	}
	if b > 0 {
		return math.MaxInt64
	}
	return math.MinInt64
}

func magnitude(a invoice.Amount) invoice.Amount {
	if a < 0 {
		return -max(a, -math.MaxInt64)
	}
	return a
}

// share is an amount times a number that was estimated, exact in the amount.
func share(a invoice.Amount, of float64) invoice.Amount {
	if product, ok := a.MulFixed(invoice.Fixed(math.Round(of * float64(invoice.One)))); ok {
		return product
	}
	return math.MaxInt64
}

func addLoss(a, b detectors.Loss) detectors.Loss {
	return detectors.Loss{Point: plus(a.Point, b.Point), Low: plus(a.Low, b.Low), High: plus(a.High, b.High)}
}

// turned is a loss seen from the other side.
func turned(l detectors.Loss) detectors.Loss {
	return detectors.Loss{Point: -l.Point, Low: -l.High, High: -l.Low}
}
