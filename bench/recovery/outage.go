package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"recoup/bench/auditor"
	"recoup/bench/cluster"
)

// smallBuffer is a row buffer that is full soon.
const smallBuffer = 16 << 20

// stillFor is how long fetching is watched to stand still.
const stillFor = 3 * time.Second

// outage takes ClickHouse away until the row buffer is full, looks whether the member says
// so and waits, and audits what came of it.
func (f *flags) outage(ctx context.Context, r *rig) (s section, err error) {
	r.ledger = auditor.NewLedger()
	r.prepare(f.plan(fewSegments, newcomers))
	if err := r.join(1); err != nil {
		return s, err
	}
	watch, unwatch, err := r.look(ctx)
	if err != nil {
		return s, err
	}
	defer unwatch()
	stop := r.feed(ctx, f.Rate)
	if err := r.settled(ctx, f.Rate); err != nil {
		return s, err
	}
	say("ClickHouse is away until the row buffer is full")
	gone := time.Now()
	r.warehouse.Kill()
	full, err := r.fillBuffer(ctx, r.oldest())
	if err != nil {
		return s, err
	}
	filled := time.Since(gone)
	if err := r.warehouse.Restart(ctx); err != nil {
		return s, err
	}
	back := time.Now()
	ready := r.await(ctx, time.Minute, "the member to be ready again", func() (bool, error) {
		status, _, err := ask(ctx, r.oldest(), "/readyz")
		return status == 200, err
	})
	if ready != nil {
		return s, ready
	}
	again := time.Since(back)
	if err := stop(); err != nil {
		return s, err
	}
	report, err := r.audit(ctx, watch)
	if err != nil {
		return s, err
	}
	s.title = "Row buffer that is full"
	s.setting = fmt.Sprintf("One member with a row buffer of %d MiB (512 by default), %d partitions, %.0f invoices a "+
		"second of 3 lines; ClickHouse killed, and started again when the buffer had been full for %s.", smallBuffer>>20,
		f.Partitions, f.Rate, stillFor)
	s.aimed("fetching waits", "nothing is scored", full.scored == 0, "%.0f invoices scored in %s", full.scored, stillFor)
	s.aimed("`recoup_row_buffer_full`", "1", full.metric == 1, "%.0f", full.metric)
	s.aimed("`/readyz`", "503, and says why", full.status == 503 && full.says != "", "%d, row buffer: %s",
		full.status, full.says)
	s.tell("full after, and ready again behind ClickHouse's first answer", "%s, %s", seconds(filled), seconds(again))
	err = s.audited(report, r.ledger.Records())
	return s, err
}

// audited adds what an audit found. That anything is wrong is an error, whatever figures say.
func (s *section) audited(report auditor.Report, records int64) error {
	s.aimed("audit of all that was sent", "nothing lost or doubled", report.OK(), "%d records, %d of %d checks failed",
		records, len(report.Failed()), len(report.Checks))
	if failed := report.Failed(); len(failed) > 0 {
		return fmt.Errorf("the audit found something wrong: %s", strings.Join(failed, ", "))
	}
	return nil
}

// fullBuffer is what a member says and does while its row buffer is full.
type fullBuffer struct {
	scored float64 // invoices, while it was watched
	metric float64
	status int
	says   string // /readyz of the row buffer
}

// fillBuffer waits until a member's row buffer is full and watches it.
func (r *rig) fillBuffer(ctx context.Context, m *cluster.Member) (full fullBuffer, err error) {
	err = r.await(ctx, 2*time.Minute, "the row buffer to be full", func() (_ bool, err error) {
		full.metric, err = metric(ctx, m, "recoup_row_buffer_full")
		return full.metric == 1, err
	})
	if err != nil {
		return full, err
	}
	if err := sleep(ctx, time.Second); err != nil { // a batch that was fetched before is finished
		return full, err
	}
	before, err := metric(ctx, m, "recoup_invoices_scored_total")
	if err != nil {
		return full, err
	}
	if err := sleep(ctx, stillFor); err != nil {
		return full, err
	}
	if full.scored, err = metric(ctx, m, "recoup_invoices_scored_total"); err != nil {
		return full, err
	}
	full.scored -= before
	if full.metric, err = metric(ctx, m, "recoup_row_buffer_full"); err != nil {
		return full, err
	}
	full.status, full.says, err = readiness(ctx, m, "row buffer")
	return full, err
}

// readiness asks a member whether it is ready, and what it says is wrong with a part.
func readiness(ctx context.Context, m *cluster.Member, part string) (status int, says string, err error) {
	status, page, err := ask(ctx, m, "/readyz")
	if err != nil {
		return status, "", err
	}
	var told struct {
		Parts []struct{ Name, Error string }
	}
	if err := json.Unmarshal([]byte(page), &told); err != nil {
		return status, "", fmt.Errorf("cannot read what %s says of its parts: %w", m.Name, err)
	}
	for _, p := range told.Parts {
		if p.Name == part {
			says = p.Error
		}
	}
	return status, says, nil
}

// look has a watch look, while members run, until what it returns is called.
func (r *rig) look(ctx context.Context) (watch *auditor.Watch, stop func(), err error) {
	watch, err = auditor.NewWatch(r.Config, r.Kafka, r.ledger, r.warehouse.NativeAddr)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		watch.Run(ctx)
	}()
	return watch, func() { cancel(); <-done; watch.Close() }, nil
}

// audit runs members to the end and compares all that came out with what went in, what a watch
// saw meanwhile, and what members took.
func (r *rig) audit(ctx context.Context, watch *auditor.Watch) (report auditor.Report, err error) {
	say("draining and auditing")
	if err := r.Drain(ctx, nil); err != nil {
		return report, err
	}
	r.MeasureGrowth(ctx)
	if err := r.Settle(ctx); err != nil {
		return report, err
	}
	in := auditor.Input{Config: r.Config, Kafka: r.Kafka, Ledger: r.ledger, Exact: true, Watch: watch}
	for _, m := range r.Members() {
		in.Members = append(in.Members, m.Usage())
	}
	report, err = auditor.Run(ctx, in)
	if err == nil && !report.OK() {
		report.Print(os.Stderr)
	}
	return report, err
}
