package canary

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/docs/contract/contracttest"
	"recoup/internal/demo/data"
	"recoup/invoice"
)

// judge scores and learns one invoice as a worker does.
type judge struct {
	engine *detectors.Engine
	offset int64
}

func (j *judge) score(inv *invoice.Invoice) (v detectors.Verdict, taught bool) {
	at := invoice.Position{Topic: "billing.invoices", Offset: j.offset}
	j.offset++
	if j.engine.Begin(inv, at, inv.IssuedAt) != detectors.Fresh {
		return v, false
	}
	j.engine.Score(&v)
	return v, j.engine.Teach(v.Suspect)
}

// state is all that the judge has learnt, as it is written to Kafka.
func (j *judge) state() string {
	var out bytes.Buffer
	records := j.engine.Checkpoint(j.offset)
	slices.SortFunc(records, func(a, b detectors.StateRecord) int { return bytes.Compare(a.Key, b.Key) })
	for _, r := range records {
		fmt.Fprintf(&out, "%s=%x\n", r.Key, r.Value)
	}
	return out.String()
}

// recent reads the first bundled invoices.
func recent(t *testing.T, n int) (all []*invoice.Invoice) {
	t.Helper()
	decoder := invoice.NewDecoder(invoice.Limits{})
	var inv invoice.Invoice
	for line, err := range data.Invoices() {
		if err != nil {
			t.Fatal(err)
		}
		if err := decoder.Decode(line, &inv); err != nil {
			t.Fatal(err)
		}
		if all = append(all, inv.Clone()); len(all) == n {
			break
		}
	}
	return all
}

// Every canary made of a real invoice is found, asks for no case and teaches nothing
// but its identity; it is a record that the contract allows.
func TestCanariesAreFoundAndTeachNothing(t *testing.T) {
	j := &judge{engine: detectors.NewEngine(detectors.DefaultSettings(), detectors.NewShared(), 0)}
	all := recent(t, 400)
	for _, inv := range all {
		j.score(inv)
	}
	_ = j.state()
	made := map[Kind]int{}
	for i, src := range all[200:] {
		if !Fits(src) {
			continue
		}
		kind := Kinds[i%len(Kinds)]
		inv := Make(src, kind, fmt.Sprint(i), all[len(all)-1].IssuedAt.Add(time.Duration(i)*time.Second))
		if err := contracttest.Validate(inv.AppendJSON(nil)); err != nil {
			t.Fatal(err)
		}
		v, taught := j.score(inv)
		made[kind]++
		if !v.Suspect || v.Decision != detectors.DecisionNone || v.CaseID != "" || taught {
			t.Errorf("%s of %s: suspect %v, decision %s, case %q, taught %v, rules %v", kind, src.ID, v.Suspect, v.Decision,
				v.CaseID, taught, v.Rules)
		}
	}
	for _, kind := range Kinds {
		if made[kind] < 20 {
			t.Errorf("%d canaries of kind %s prove little", made[kind], kind)
		}
	}
	for _, line := range bytes.Split([]byte(j.state()), []byte("\n")) {
		if len(line) > 0 && !bytes.HasPrefix(line, []byte("seen|")) {
			t.Errorf("canaries changed what is known: %.80s", line)
		}
	}
}

// Real invoices behind canaries get the verdicts they would have got without them.
func TestCanariesChangeNoVerdict(t *testing.T) {
	verdicts := func(every int) (text []string) {
		j := &judge{engine: detectors.NewEngine(detectors.DefaultSettings(), detectors.NewShared(), 0)}
		for i, inv := range recent(t, 400) {
			v, _ := j.score(inv)
			text = append(text, fmt.Sprint(v.InvoiceID, v.Suspect, v.PError, v.Rules, v.Loss))
			if every > 0 && i%every == 0 && Fits(inv) {
				for _, kind := range Kinds {
					j.score(Make(inv, kind, fmt.Sprint(kind, i), inv.IssuedAt))
				}
			}
		}
		return text
	}
	without, with := verdicts(0), verdicts(3)
	for i := range without {
		if without[i] != with[i] {
			t.Errorf("verdict %s became %s", without[i], with[i])
		}
	}
}

// Where nothing is known of a seller, a made-up invoice proves as much.
func TestMadeUp(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	src := MadeUp("acme", at)
	if !Fits(src) {
		t.Fatalf("no canary can be made of %+v", src)
	}
	for _, kind := range []Kind{ZeroTotal, SumMismatch} {
		j := &judge{engine: detectors.NewEngine(detectors.DefaultSettings(), detectors.NewShared(), 0)}
		if v, _ := j.score(Make(src, kind, "1", at)); !v.Suspect {
			t.Errorf("%s is not found: %v", kind, v.Rules)
		}
	}
}

// What no canary should be made of.
func TestFits(t *testing.T) {
	good := MadeUp("acme", time.Now())
	for name, spoil := range map[string]func(*invoice.Invoice){
		"credit note": func(inv *invoice.Invoice) { inv.Type = invoice.CreditNote },
		"draft":       func(inv *invoice.Invoice) { inv.Stage = invoice.PreIssue },
		"canary":      func(inv *invoice.Invoice) { inv.Canary = true },
		"no lines":    func(inv *invoice.Invoice) { inv.Lines = nil },
		"wrong sum":   func(inv *invoice.Invoice) { inv.NetAmount++ },
		"free line":   func(inv *invoice.Invoice) { inv.Lines[0].Net.Value = 0 },
		"coins":       func(inv *invoice.Invoice) { inv.NetAmount = 1 },
	} {
		inv := good.Clone()
		if spoil(inv); Fits(inv) {
			t.Errorf("a canary can be made of a %s", name)
		}
	}
}
