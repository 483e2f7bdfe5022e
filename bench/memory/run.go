package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// plan is one run.
type plan struct{ Segments, Customers, Partitions, Invoices int }

// result is what one run came to.
type result struct {
	Segments           int           // of the plan
	Baselines          int           // contributions read at the take-over, of all partitions
	RSS                int64         // most resident bytes
	Heap               int64         // bytes in use after a collection
	Rate               float64       // invoices per second of CPU time, collections included
	ForgottenSegments  uint64        // to make room
	ForgottenCustomers uint64        // to make room
	TakeOver           time.Duration // reading all baselines and one partition's state
}

// checkpoints is how many each partition takes.
const checkpoints = 4

// child runs a plan and prints its result.
func child(text string) error {
	var p plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	shared := detectors.NewShared()
	engines := make([]*detectors.Engine, p.Partitions)
	for i := range engines {
		engines[i] = detectors.NewEngine(detectors.DefaultSettings(), shared, i)
		engines[i].Limit(detectors.DefaultBudget(), p.Partitions)
	}
	stored := &topics{}
	began := cpu()
	var inv invoice.Invoice
	var v detectors.Verdict
	for i := range p.Invoices {
		partition, at := p.make(&inv, i)
		e := engines[partition]
		e.Begin(&inv, invoice.Position{Topic: "bench", Partition: partition, Offset: int64(i)}, at)
		e.Score(&v)
		e.Teach(v.Suspect)
		if (i+1)%(p.Invoices/checkpoints) == 0 {
			for partition, e := range engines {
				if err := stored.publish(shared, e.Checkpoint(int64(i)+1), partition, int64(i)+1); err != nil {
					return err
				}
			}
		}
	}
	r := result{Segments: p.Segments, Rate: float64(p.Invoices) / (cpu() - began).Seconds(), RSS: peak()}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.Heap = int64(m.HeapAlloc)
	for _, e := range engines {
		for _, f := range e.Forgotten() {
			switch f.Kind {
			case "segment":
				r.ForgottenSegments += f.Items
			case "customer":
				r.ForgottenCustomers += f.Items
			}
		}
	}
	clear(engines)
	if err := stored.takeOver(&r, p); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// sellers have the same number of segments and of customers each.
const sellers = 100

// make fills in an invoice, and says which partition it is of and when it came.
func (p *plan) make(inv *invoice.Invoice, i int) (partition int, at time.Time) {
	segment := i % p.Segments
	customer := (i + sellers*(i/p.Segments)) % p.Customers // of one seller, by turns on two partitions
	at = time.Unix(1767225600+int64(i)*60*24*3600/int64(p.Invoices), 0).UTC()
	net := invoice.OptionalAmount{Value: invoice.Amount(100+segment%7) * invoice.Unit, Set: true}
	lines := append(inv.Lines[:0], invoice.Line{ProductID: "p" + strconv.Itoa(segment%7), Net: net,
		Quantity:  invoice.OptionalFixed{Value: invoice.One, Set: true},
		UnitPrice: invoice.OptionalFixed{Value: invoice.Fixed(100+segment%7) * invoice.One, Set: true}})
	*inv = invoice.Invoice{Seller: "seller-" + strconv.Itoa(segment%sellers), ID: "INV-" + strconv.Itoa(i), IssuedAt: at,
		Currency: "EUR", NetAmount: net.Value, CustomerRef: "c:" + strconv.Itoa(customer), Country: "DE",
		CustomerType:  "type " + strconv.Itoa(segment/sellers%10),
		ProductFamily: "family " + strconv.Itoa(segment/(10*sellers)), SourceSystem: "billing", Lines: lines}
	return customer % p.Partitions, at
}

// topics are the state topics, not compacted.
type topics struct{ file *os.File }

// record is one of them.
type record struct {
	Key, Value []byte
	Partition  int
	Shared     bool
	Applied    int64
}

// publish writes a checkpoint to a file, and has everybody hear of its baselines.
func (k *topics) publish(shared *detectors.Shared, out []detectors.StateRecord, partition int, applied int64) error {
	if k.file == nil {
		file, err := os.CreateTemp("", "recoup-memory-")
		if err != nil {
			return err
		}
		k.file = file
		if err := os.Remove(file.Name()); err != nil {
			return err
		}
	}
	w := newWriter(k.file)
	for _, r := range out {
		w.write(&record{r.Key, r.Value, partition, r.Shared, applied})
		if r.Shared {
			if err := shared.Put(r.Key, r.Value, partition, applied); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}

// takeOver reads everything back for partition 0.
func (k *topics) takeOver(r *result, p plan) error {
	shared := detectors.NewShared()
	e := detectors.NewEngine(detectors.DefaultSettings(), shared, 0)
	e.Limit(detectors.DefaultBudget(), p.Partitions)
	began := time.Now()
	err := read(k.file, func(r *record) error {
		switch {
		case r.Shared:
			return shared.Put(r.Key, r.Value, r.Partition, r.Applied)
		case r.Partition == 0:
			return e.Restore(r.Key, r.Value, r.Applied)
		}
		return nil
	})
	if err != nil {
		return err
	}
	adopted := e.AdoptShared()
	if err := e.Adopt(int64(p.Invoices), true); err != nil {
		return err
	}
	r.TakeOver, r.Baselines = time.Since(began), adopted*p.Partitions
	return nil
}

// cpu is the time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory that was ever resident.
func peak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
}
