package pipeline_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"recoup/detectors"
	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// priced is an invoice of one line of a product at a price; what stands behind a dash in
// its id tells customers of the product apart.
func priced(id, product string, price float64, at time.Time, delivery string) []byte {
	list := "2026"
	if at.Before(start.Add(16*24*time.Hour)) || price == 20 {
		list = "2025"
	}
	_, other, _ := strings.Cut(id, "-")
	amount := fmt.Sprintf("%.2f", price)
	return fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":%q,"seller":"acme","invoice_id":%[1]q,"issued_at":%q,`+
		`"currency":"EUR","net_amount":"%[3]s","customer_ref":"c-%[4]s%[7]s",`+
		`"customer_type":"B2C","price_list_version":%[8]q,"product_family":"fibre",`+
		`"delivery_ref":%[5]q,`+
		`"lines":[{"line_id":"1","product_id":%[4]q,"quantity":"1","unit_price":%[6]q,"line_net":%[6]q}]}`,
		id, at.Format(time.RFC3339), amount, product, delivery, amount, other, list)
}

// A duplicate, a price tier that is stale and a recurring amount that is off are
// recognised behind a kill as they are without one, though what proves them was
// committed before it.
func TestEvidenceOutlivesKill(t *testing.T) {
	verdicts := map[bool]string{}
	for _, kill := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(1)
			w.opt.CheckpointInterval = time.Hour // what is committed is in no checkpoint
			send := func(id, product string, price float64, n int, delivery string) {
				at := start.Add(time.Duration(n) * 24 * time.Hour)
				w.append(t, 0, pipeline.Record{Value: priced(id, product, price, at, delivery), Time: at})
			}
			for n := range 30 {
				tier := 20.0
				if n > 15 {
					tier = 25
				}
				for _, kind := range []string{"tier", "monthly"} {
					price := map[string]float64{"tier": tier, "monthly": 49.9}[kind]
					send(fmt.Sprint(kind, n), kind, price, n, fmt.Sprint(kind, "-delivery-", n))
				}
				for other := range 4 {
					send(fmt.Sprint("tier", n, "-", other), "tier", tier, n, "")
				}
			}
			m, group := w.member("killed", func(o *pipeline.Options) { o.UntilCaughtUp = !kill })
			during(t, m, func() {
				time.Sleep(30 * time.Second)
				group.(*memlog.Member).Evict()
			})
			if at := w.log.Committed(w.opt.Group, w.opt.Topics.Invoices)[0]; at != 180 {
				t.Fatalf("committed %d, want all 180", at)
			}
			send("twice", "monthly", 49.9, 31, "monthly-delivery-7")
			send("stale", "tier", 20, 31, "t-31")
			send("off", "monthly", 4.99, 32, "m-32")
			w.caught(t, "after")
			for _, r := range w.store.Rows() {
				v := r.Verdict
				wants := map[string]string{"twice": detectors.CauseDuplicate, "stale": detectors.CauseCRMSync,
					"off": detectors.CauseDataEntry}
				if want, ok := wants[v.InvoiceID]; ok {
					if !v.Suspect || !slices.ContainsFunc(v.Causes, func(f detectors.Finding) bool { return f.Code == want }) {
						t.Errorf("kill %v: %s is suspect %v for %+v, want %s", kill, v.InvoiceID, v.Suspect, v.Causes, want)
					}
					verdicts[kill] += fmt.Sprintf("%+v\n", v)
				}
			}
		})
	}
	if verdicts[true] != verdicts[false] {
		t.Errorf("behind a kill:\n%swithout:\n%s", verdicts[true], verdicts[false])
	}
}
