package sinks

import (
	"syscall"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
	"recoup/sinks/sinktest"
)

// BenchmarkInsert measures the whole way of a row into a real ClickHouse: append
// and insert of blocks of 50,000 invoices. cpu-s/M is the processor time of this
// process, the server's is not in it, per million invoices.
func BenchmarkInsert(b *testing.B) {
	const rows = 50_000
	for _, lines := range []int{0, 3} {
		b.Run([]string{0: "scored_invoices", 3: "with three lines"}[lines], func(b *testing.B) {
			s := openStore(b)
			invs, vs := make([]*invoice.Invoice, 500), make([]*detectors.Verdict, 500)
			for i := range invs {
				invs[i], vs[i] = sampleInvoice(i, lines)
			}
			owner := pipeline.Owner{Group: "bench", Topic: "billing.invoices", Partition: 3}
			offset := int64(0)
			before := processTime(b)
			b.ResetTimer()
			for n := int64(0); offset < int64(b.N); n++ {
				blk := s.NewBlock()
				for range rows {
					v := vs[offset%500]
					v.Source.Offset = offset
					blk.Append(invs[offset%500], v, 1_790_000_000_000)
					offset++
				}
				if err := s.Insert(b.Context(), owner, n, blk, sinktest.Owned); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((processTime(b)-before).Seconds()/float64(offset)*1e6, "cpu-s/M")
		})
	}
}

func processTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
