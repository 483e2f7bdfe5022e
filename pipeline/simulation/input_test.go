package simulation_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
)

// variants is how many inputs there are. Each is run once without faults; seeds share them.
const variants = 48

// input is what comes in from outside, drawn from the number of a variant.
type input struct {
	partitions [][]pipeline.Record // of the invoices
	gaps       map[[2]int]int64    // by partition and record: offsets that are left out before it
	people     []said              // what people and customers say; nil: the case stage does not run
	budget     detectors.Budget    // of what is remembered
}

// said is a record about a case.
type said struct {
	topic string
	pipeline.Record
}

// epoch is when the first invoice was issued: all of them come in the three days before
// the clock of a bubble starts, so that none is of the future and nothing expires.
var epoch = time.Date(1999, 12, 28, 8, 0, 0, 0, time.UTC)

// newInput draws 8 to 26 invoices for one or two partitions. Each partition is of a
// seller of its own: what partitions learn of each other depends on when they do.
func newInput(variant uint64) *input {
	rng := rand.New(rand.NewPCG(variant, 11))
	in := &input{gaps: map[[2]int]int64{}, budget: detectors.DefaultBudget()}
	if isCrowded(variant) {
		in.budget = crowded
	}
	for p := range 1 + rng.IntN(2) {
		in.fill(rng, p, 8+rng.IntN(19))
	}
	if variant%3 == 0 {
		in.talk(rng)
	}
	return in
}

// crowded is a budget of one segment, and one customer, in each bucket of a partition's
// history, of which there are 1,024.
var crowded = detectors.Budget{Segments: 1, Customers: 1}

// isCrowded tells of which variants some segments are forgotten.
func isCrowded(variant uint64) bool { return variant%2 == 1 }

// families are product families of each seller that crowded has room for only one of: the
// baselines of the first three are in one bucket, and those of B2C and each of the last three.
var families = sync.OnceValue(func() (of [2][]string) {
	for p := range of {
		seller := fmt.Sprintf("seller-%d|EUR|", p)
		for _, kind := range []string{"product_family|" + seller, "segment|" + seller + "B2C|"} {
			bucket := xxhash.Sum64String(kind+"fibre") >> 54
			found := []string{"fibre"}
			for n := 0; len(found) < 3; n++ {
				if name := fmt.Sprint("f", n); xxhash.Sum64String(kind+name)>>54 == bucket {
					found = append(found, name)
				}
			}
			of[p] = append(of[p], found...)
		}
	}
	return of
})

// family draws the product family of an invoice.
func (in *input) family(rng *rand.Rand, p int) string {
	if in.budget != crowded {
		return "fibre"
	}
	all := families()[p]
	return all[rng.IntN(len(all))]
}

// fill draws the records of one partition: usual invoices, ones that bill too little,
// others for the same delivery, repeats, documents that put one right, garbage.
func (in *input) fill(rng *rand.Rand, p, n int) {
	var records []pipeline.Record
	at := epoch
	add := func(value []byte) {
		if rng.IntN(25) == 0 {
			in.gaps[[2]int{p, len(records)}] = 1 + rng.Int64N(3)
		}
		records = append(records, pipeline.Record{Key: fmt.Appendf(nil, "c%d", p), Value: value, Time: at})
	}
	for i := range n {
		at = at.Add(time.Duration(10+rng.IntN(200)) * time.Minute)
		net, delivery, family := 40000+int64(rng.IntN(400)), i, in.family(rng, p)
		switch sort := rng.IntN(20); {
		case i < 5:
		case sort < 3:
			net /= 10
		case sort < 5:
			net = net * int64(30+rng.IntN(40)) / 100
		case sort < 7:
			delivery = rng.IntN(i)
		}
		add(invoiceJSON(p, i, net, delivery, at, family, ""))
		switch sort := rng.IntN(14); {
		case sort == 0:
			add(records[rng.IntN(len(records))].Value) // delivered again
		case sort == 1:
			add([]byte(`{"schema":"invoice.v1","garbage":`))
		case sort == 2 && i > 5:
			add(invoiceJSON(p, 1000+i, net, 1000+i, at, family, fmt.Sprintf(
				`"invoice_type":"correction","preceding_invoice_number":"%d-%d",`, p, rng.IntN(i+1))))
		}
	}
	in.partitions = append(in.partitions, records)
}

// invoiceJSON is an invoice of two lines.
func invoiceJSON(p, i int, cents int64, delivery int, at time.Time, family, more string) []byte {
	first := cents / 3
	return fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":"e-%d-%d","seller":"seller-%d","invoice_id":"%d-%d",`+
		`"issued_at":%q,"currency":"EUR","net_amount":"%d.%02d","customer_ref":"c%d","customer_type":"B2C",%s`+
		`"product_family":%q,"delivery_ref":"d-%d-%d","lines":[{"line_id":"1","product_id":"p1",`+
		`"line_net":"%d.%02d"},{"line_id":"2","product_id":"p2","line_net":"%d.%02d"}]}`,
		p, i, p, p, i, at.Format(time.RFC3339), cents/100, cents%100, i%3, more, family, p, delivery,
		first/100, first%100, (cents-first)/100, (cents-first)%100)
}

// talk draws what is said of invoices: of suspects, of usual ones, of none there is. It
// teaches nothing, for when a worker learns of it is another matter.
func (in *input) talk(rng *rand.Rand) {
	at := epoch.Add(80 * time.Hour)
	put := func(topic, key string, body []byte, err error) {
		if err != nil {
			panic(err)
		}
		in.people = append(in.people, said{topic, pipeline.Record{Key: []byte(key), Value: body, Time: at}})
	}
	for n := range 3 + rng.IntN(6) {
		p := rng.IntN(len(in.partitions))
		id := fmt.Sprintf("%d-%d", p, 5+rng.IntN(24))
		seller, moment := fmt.Sprintf("seller-%d", p), at.Add(time.Duration(n)*time.Minute)
		about := cases.ID(cases.DedupKey(seller, id, 0))
		switch rng.IntN(4) {
		case 0:
			e := cases.Event{EventID: fmt.Sprint("e", n), CaseID: about, Status: cases.StatusAcknowledged, At: moment}
			body, err := e.Encode()
			put(topics.CaseEvents, e.CaseID, body, err)
		case 1:
			e := cases.Event{EventID: fmt.Sprint("e", n), CaseID: about, Status: cases.StatusClosed, At: moment}
			body, err := e.Encode()
			put(topics.CaseEvents, e.CaseID, body, err)
		case 2:
			r := cases.Recovery{EventID: fmt.Sprint("r", n), RecoveryID: "plan-" + id, CaseID: about,
				Option: cases.OptionImmediate, Event: cases.StepOffered, Amount: 120 * invoice.Unit, Currency: "EUR", At: moment}
			body, err := r.Encode()
			put(topics.Recoveries, r.CaseID, body, err)
		default:
			d := cases.Dispute{EventID: fmt.Sprint("d", n), Seller: seller, InvoiceID: id, Reason: cases.ReasonPrice, At: moment}
			body, err := d.Encode()
			put(topics.Disputes, d.InvoiceID, body, err)
		}
		if rng.IntN(3) == 0 {
			in.people = append(in.people, in.people[rng.IntN(len(in.people))]) // said again
		}
	}
}
