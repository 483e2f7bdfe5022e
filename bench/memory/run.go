package main

import (
	"bytes"
	"encoding/json"
	"os"
	"runtime"
	"runtime/metrics"
	"syscall"
	"time"

	"recoup/bench/machine"
	"recoup/detectors"
	"recoup/invoice"
)

// result is what one run came to.
type result struct {
	Segments           int           // of the plan
	Baselines          int           // contributions found at a take-over, of all partitions
	RSS                int64         // most resident bytes
	Heap               int64         // bytes in use after a collection
	Filling, Known     half          // the first and the second half
	ForgottenSegments  uint64        // to make room
	ForgottenCustomers uint64        // to make room
	TakeOver           time.Duration // reading all baselines and one partition's state
	Compared           comparison    // of an Unbounded run
}

// half is what one half of a run cost, per invoice.
type half struct {
	CPU         time.Duration // all of it
	Checkpoints time.Duration // of it, for making and publishing them, their own collections included
	Collections time.Duration // of it, for collecting garbage
	Records     float64       // written at checkpoints
	Bytes       float64       // of these
}

// world is what a run works on.
type world struct {
	*maker
	shared      *detectors.Shared
	engines     []*detectors.Engine
	taken       []int64 // by partition: invoices
	since       []int64 // of them since its last checkpoint
	stored      topics
	checkpoints time.Duration
	verdicts    *verdicts // nil: not kept
}

func (p *plan) engine(shared *detectors.Shared, partition int) *detectors.Engine {
	budget := detectors.DefaultBudget()
	if budget.Segments = p.Budget; p.Unbounded {
		budget.Segments = 1 << 30
	}
	return detectors.NewBoundedEngine(detectors.DefaultSettings(), shared, partition, budget.Share(p.Partitions))
}

// child runs a plan and prints its result.
func child(text string) error {
	var p plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	w := &world{maker: newMaker(p), shared: detectors.NewShared(), taken: make([]int64, p.Partitions),
		since: make([]int64, p.Partitions)}
	for i := range w.Partitions {
		w.engines = append(w.engines, w.engine(w.shared, i))
	}
	r := result{Segments: w.Segments}
	if w.Verdicts != "" {
		var err error
		if w.verdicts, err = openVerdicts(&w.plan, &r.Compared); err != nil {
			return err
		}
	}
	for at, of := range []*half{&r.Filling, &r.Known} {
		if at == 1 && w.Spoilt && !w.Unbounded {
			if err := w.spoil(w.total() / 2); err != nil {
				return err
			}
		}
		if err := w.work(of, at*w.total()/2, (at+1)*w.total()/2); err != nil {
			return err
		}
	}
	r.RSS, r.Heap = machine.Peak(os.Getpid()), inUse()
	w.countForgotten(&r)
	if w.verdicts != nil {
		if err := w.verdicts.close(); err != nil {
			return err
		}
	} else {
		w.engines = nil
		if err := w.stored.takeOver(&r, w.plan); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// interval is the seconds between two checkpoints by default.
const interval = 30

// work takes invoices through the engines.
func (w *world) work(of *half, from, to int) error {
	began, collected, checkpoints, stored := cpu(), collections(), w.checkpoints, w.stored
	var inv invoice.Invoice
	var v detectors.Verdict
	for i := from; i < to; i++ {
		d, isWrong := w.steady(i), false
		if w.verdicts != nil {
			d, isWrong = w.drifting(i)
		}
		partition, at := w.make(&inv, d)
		e := w.engines[partition]
		e.Begin(&inv, invoice.Position{Topic: "bench", Partition: partition, Offset: int64(i)}, at)
		e.Score(&v)
		if w.verdicts == nil {
			e.Teach(v.Suspect)
		} else {
			e.Teach(isWrong)
			if err := w.verdicts.next(&v, e, &w.plan, d, i >= w.total()/2 && i%often > 0, isWrong); err != nil {
				return err
			}
		}
		w.taken[partition]++
		w.since[partition]++
		if (i+1)%(interval*w.Rate) == 0 {
			if err := w.checkpoint(int64(i) + 1); err != nil {
				return err
			}
		}
	}
	n := to - from
	of.CPU, of.Collections = (cpu()-began)/time.Duration(n), (collections()-collected)/time.Duration(n)
	of.Checkpoints = (w.checkpoints - checkpoints) / time.Duration(n)
	of.Records = float64(w.stored.records-stored.records) / float64(n)
	of.Bytes = float64(w.stored.bytes-stored.bytes) / float64(n)
	return nil
}

// spoil makes a baseline wrong that is soon used: as if another partition had told of invoices
// of twice the usual amount.
func (w *world) spoil(from int) error {
	for from%often != 0 {
		from++
	}
	d, _ := w.drifting(from)
	d.units = 2 * usualUnits(d.segment)
	partition := w.Partitions
	e := w.engine(detectors.NewShared(), partition)
	var inv invoice.Invoice
	for i := range 40 {
		d.number = from + i
		_, at := w.make(&inv, d)
		e.Begin(&inv, invoice.Position{Topic: "bench", Partition: partition, Offset: int64(i)}, at)
		e.Teach(false)
	}
	for _, r := range e.Checkpoint(int64(from)) {
		if r.Shared && bytes.HasPrefix(r.Key, []byte("segment|")) {
			if err := w.shared.Put(r.Key, r.Value, partition, int64(from)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkpoint takes those that are due, by the pipeline's rule: most wait until there is a record
// for five invoices, or until the partition has doubled. Where verdicts are compared all are
// taken, so that both runs hear of other partitions at the same time.
func (w *world) checkpoint(applied int64) error {
	began := cpu()
	for partition, e := range w.engines {
		since := w.since[partition]
		due := w.verdicts != nil || since >= w.taken[partition]/2 || int64(e.Changed()) <= since/5
		if !due {
			continue
		}
		w.since[partition] = 0
		if err := w.stored.publish(w.shared, e.Checkpoint(applied), partition, applied); err != nil {
			return err
		}
	}
	w.checkpoints += cpu() - began
	return nil
}

func (w *world) countForgotten(r *result) {
	for _, e := range w.engines {
		for _, f := range e.Forgotten() {
			switch f.Kind {
			case "segment":
				r.ForgottenSegments += f.Items
			case "customer":
				r.ForgottenCustomers += f.Items
			}
		}
	}
}

// cpu is the time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// collections is the time that was spent on collecting garbage, as far as Go has added it up.
func collections() time.Duration {
	s := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(s)
	return time.Duration(s[0].Value.Float64() * float64(time.Second))
}

// inUse is the heap's size after a collection.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
