package cluster_test

import (
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"

	"recoup/bench/cluster"
	"recoup/detectors"
	"recoup/internal/testservers"
	"recoup/pipeline"
)

// G1–G5, G9: however many members share eight partitions, while one of them is killed and
// another one joins, nothing is lost or doubled, and the folded baseline of each segment is
// what the stored decisions teach, also to members that judge by it.
func TestMembersShareBaselines(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "recoup")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "recoup/cmd/recoup")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, members := range []int{1, 2, 4} {
		t.Run(fmt.Sprint(members, " members"), func(t *testing.T) {
			t.Parallel() // most of it is waiting for the group
			shareBaselines(newRig(t, cluster.Options{Broker: testservers.Kafka(t), ClickHouse: testservers.ClickHouse(t),
				Name: testservers.Database(t), Binary: binary, Partitions: 8}), members)
		})
	}
}

func shareBaselines(t *rig, members int) {
	t.watch()
	var running []*cluster.Member
	for range members {
		running = append(running, t.join())
	}
	t.says(running[0], "took over")
	t.send(5_000)
	time.Sleep(3 * time.Second)
	running[0].Kill()
	t.join()
	t.ok(t.finish())
	for range members {
		t.join()
	}
	topics := &t.Config.Kafka.Topics
	shared, _, err := pipeline.NewBaselines(t.Kafka.Log(), topics.Baselines).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The audit has compared these with the stored decisions.
	segments := shared.Segments("seller-01", t.Config.Scoring.Settings())
	if len(segments) < 5 {
		t.Fatalf("%d segments, want at least 5", len(segments))
	}
	for p := range 8 {
		for i := range segments {
			ask(t, p, &segments[i])
		}
	}
	if err := t.Drain(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	answered(t, segments)
}

// ask sends what would be an invoice of a segment: nobody learns from what is not issued yet,
// and its verdict tells what it is compared with.
func ask(t *rig, partition int, s *detectors.SegmentSummary) {
	t.Helper()
	at := time.Now().UTC().Truncate(time.Second)
	id := fmt.Sprintf("asked-%d-%s-%s", partition, s.CustomerType, s.ProductFamily)
	value := fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":%q,"invoice_id":%[1]q,"issued_at":%q,"seller":%q,`+
		`"stage":"pre_issue","currency":%q,"net_amount":"%v","customer_ref":"anonymous","customer_type":%q,`+
		`"product_family":%q}`, id, at.Format(time.RFC3339), s.Seller, s.Currency, s.Mean, s.CustomerType, s.ProductFamily)
	_, err := t.Kafka.Log().Append(t.Context(), t.Config.Kafka.Topics.Invoices, partition,
		[]pipeline.Record{{Value: value, Time: at}})
	if err != nil {
		t.Fatal(err)
	}
}

// halfCent is by how much an expected amount may differ from a mean, as it is in whole cents.
const halfCent = 0.005001

// answered compares what the owner of each partition said with the folded baselines.
func answered(t *rig, segments []detectors.SegmentSummary) {
	t.Helper()
	db := clickhousego.OpenDB(&clickhousego.Options{Addr: t.Config.ClickHouse.Addresses})
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), "SELECT source_partition, level, customer_type, product_family, n, "+
		"toFloat64(expected), cv FROM "+t.Config.ClickHouse.Database+".scored_invoices WHERE stage = 'pre_issue'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	count := 0
	for rows.Next() {
		var partition uint32
		var level, kind, family string
		var n int64
		var mean, cv float64
		if err := rows.Scan(&partition, &level, &kind, &family, &n, &mean, &cv); err != nil {
			t.Fatal(err)
		}
		count++
		for _, s := range segments {
			if s.CustomerType != kind || s.ProductFamily != family {
				continue
			}
			want := float64(s.Mean) / 1e4
			if level != string(s.Level) || n != s.N || math.Abs(mean-want) > halfCent || math.Abs(cv-s.CV) > 1e-6 {
				t.Errorf("partition %d, %s: %s of %d, mean %.4f, cv %.6f; want %s of %d, mean %.4f, cv %.6f", partition, s.Of(),
					level, n, mean, cv, s.Level, s.N, want, s.CV)
			}
		}
	}
	if err := rows.Err(); err != nil || count != 8*len(segments) {
		t.Errorf("%d answers, error %v; want %d", count, err, 8*len(segments))
	}
}
