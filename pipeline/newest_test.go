package pipeline

import (
	"fmt"
	"testing"
	"time"

	"recoup/detectors"
)

// Where there are more invoices than are learned from, all of some customers are, not the newest
// few of each: among those a regular bill is as rare as a duplicate.
func TestTrainingTakesCustomersWhole(t *testing.T) {
	const customers, days, history, learned = 60, 60, 30, 600
	first := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	log := &keptLog{}
	for day := range days {
		for c := range customers {
			at := first.AddDate(0, 0, day)
			if c == 0 { // is billed late
				at = at.AddDate(0, 0, -days)
			}
			value := fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":"%d-%d","seller":"acme","invoice_id":"%d-%d",`+
				`"issued_at":%q,"currency":"EUR","net_amount":"9.00","customer_ref":"c%d"}`, c, day, c, day,
				at.Format(time.RFC3339), c)
			log[c%2] = append(log[c%2], Record{Offset: int64(len(log[c%2])), Value: value, Time: at})
		}
	}
	m := reads(log)
	m.invoicePartitions, m.opt.Training.Records = 2, learned
	m.opt.Now = func() time.Time { return first.AddDate(1, 0, 0) }
	newest, err := openNewest(t.Context(), m, first.AddDate(0, 0, days-history), newTurn())
	if err != nil {
		t.Fatal(err)
	}
	defer newest.close()
	invoices, by := 0, map[string]int{}
	for h, err := newest.next(t.Context()); h != nil || err != nil; h, err = newest.next(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		invoices++
		by[h.inv.CustomerRef]++
	}
	if invoices < learned/2 || invoices > learned*2 || newest.cut {
		t.Errorf("%d invoices, cut %v; want %d about, not cut", invoices, newest.cut, learned)
	}
	for customer, n := range by {
		if n < history || n > history+fewLast {
			t.Errorf("%d invoices of %s, want all %d of the last days", n, customer, history)
		}
	}
}

// More is not read than is worth it, and then that is said.
func TestTrainingReadsNotAll(t *testing.T) {
	log := &keptLog{}
	for i := range 1000 {
		log[0] = append(log[0], Record{Offset: int64(i), Value: fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":"%d",`+
			`"seller":"acme","invoice_id":"%d","issued_at":"2026-03-01T08:00:00Z","currency":"EUR","net_amount":"9.00",`+
			`"customer_ref":"anonymous"}`, i, i)})
	}
	m := reads(log)
	m.invoicePartitions, m.opt.Training.Records, m.opt.Now = 2, 10, time.Now
	newest, err := openNewest(t.Context(), m, time.Time{}, newTurn())
	if err != nil {
		t.Fatal(err)
	}
	defer newest.close()
	if read := 1000 - newest.heads[0].from; !newest.cut || read > 10*readPerTaught {
		t.Errorf("%d records are read, cut %v; want %d at most, and cut", read, newest.cut, 10*readPerTaught)
	}
	n := 0
	for h, err := newest.next(t.Context()); h != nil; h, err = newest.next(t.Context()) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n > 30 {
		t.Errorf("%d counter sales to learn from, want 10 about: each counts by itself", n)
	}
}

// G7: what is learned from stays bounded though one customer of the sample is billed half of all.
func TestTrainingTakesNoGiantWhole(t *testing.T) {
	const invoices, learned = 3000, 300
	for c := range 40 { // some of these are of the sample
		log := &keptLog{}
		for i := range invoices {
			customer := fmt.Sprint("giant-", c)
			if i%2 == 0 {
				customer = fmt.Sprint(i)
			}
			log[i%4/2] = append(log[i%4/2], Record{Offset: int64(len(log[i%4/2])), Value: fmt.Appendf(nil,
				`{"schema":"invoice.v1","event_id":"%d","seller":"acme","invoice_id":"%d","issued_at":"2026-03-01T08:00:00Z",`+
					`"currency":"EUR","net_amount":"9.00","customer_ref":%q}`, i, i, customer)})
		}
		m := reads(log)
		m.invoicePartitions, m.opt.Training.Records, m.opt.Now = 2, learned, time.Now
		newest, err := openNewest(t.Context(), m, time.Time{}, newTurn())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for h, err := newest.next(t.Context()); h != nil; h, err = newest.next(t.Context()) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		newest.close()
		if n > 2*learned {
			t.Errorf("giant-%d: %d invoices to learn from, want %d about", c, n, learned)
		}
	}
}

// A week of invoices is no week because one of them is late.
func TestLateInvoiceMakesNoWeek(t *testing.T) {
	l := &learned{spans: map[string]*span{}}
	first := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	l.saw("acme", first.AddDate(0, 0, -10))
	for hour := range 100 {
		l.saw("acme", first.Add(time.Duration(hour)*time.Hour))
	}
	if back := l.spans["acme"].days(); back >= detectors.TrainAfter {
		t.Errorf("four days of invoices go back %v", back)
	}
	for hour := range 100 {
		l.saw("acme", first.Add(time.Duration(100+hour)*time.Hour))
	}
	if back := l.spans["acme"].days(); back < detectors.TrainAfter {
		t.Errorf("eight days of invoices go back %v", back)
	}
}
