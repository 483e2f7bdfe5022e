package detectors

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"recoup/invoice"
)

// The decision log keeps verdicts as text: reading one back and writing it
// again must give the same bytes.
func TestVerdictKeepsItsBytes(t *testing.T) {
	records := world(rand.New(rand.NewPCG(6, 1)), 400)
	e := NewEngine(worldSettings(), NewShared(), 0)
	for offset := range records {
		first, _ := step(t, e, records, int64(offset))
		if first == "" {
			continue
		}
		var v Verdict
		if err := json.Unmarshal([]byte(first), &v); err != nil {
			t.Fatal(err)
		}
		second, err := json.Marshal(&v)
		if err != nil || string(second) != first {
			t.Fatalf("%s\ncame back as\n%s, %v", first, second, err)
		}
	}
}

func TestVerdictJSON(t *testing.T) {
	data, err := json.Marshal(Verdict{Stage: invoice.PreIssue, LateBy: Delay(36*time.Hour + 500*time.Microsecond)})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"rules":[]`, `"causes":[]`, `"stage":"pre_issue"`, `"late_by_ms":129600000,`, `"billed":"0.00"`,
	} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s in %s", want, data)
		}
	}
	text := Finding{Evidence: []string{"5 < 6 & 7 > 6"}}
	data, err = Verdict{Causes: []Finding{text}}.MarshalJSON()
	if err != nil || !strings.Contains(string(data), text.Evidence[0]) {
		t.Errorf("%s, %v", data, err)
	}
	for _, bad := range []string{`-1`, `"1"`, `1.5`, `9223372036854775807`} {
		var d Delay
		if err := json.Unmarshal([]byte(bad), &d); err == nil {
			t.Errorf("delay %s was read as %v", bad, d)
		}
	}
}

// A clone stays as it is when the engine goes on with its verdict and buffers.
func TestCloneSharesNothing(t *testing.T) {
	e := taughtWith(DefaultSettings(), 40, 100*invoice.Unit)
	buffer := []byte("acme")
	v := verdictOn(e, usual(10*invoice.Unit, 50), 50)
	v.Seller = string(buffer)
	c := v.Clone()
	want, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	v.Rules[0], v.Causes[0].Evidence[0], v.Causes[0].P = "x", "y", 0
	if got, _ := json.Marshal(c); string(got) != string(want) {
		t.Errorf("the clone became %s", got)
	}
	if c.Rules == nil || reflect.DeepEqual(c.Rules, v.Rules) {
		t.Errorf("rules %v", c.Rules)
	}
}

func TestSettings(t *testing.T) {
	s := DefaultSettings()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if s.Hash() != DefaultSettings().Hash() || len(s.Hash()) != 16 {
		t.Errorf("hash %q", s.Hash())
	}
	seen := map[string]string{s.Hash(): "the defaults"}
	change := func(what string, f func(*Settings)) Settings {
		c := DefaultSettings()
		f(&c)
		if other, taken := seen[c.Hash()]; taken {
			t.Errorf("%s has the hash of %s", what, other)
		}
		seen[c.Hash()] = what
		return c
	}
	fields := reflect.TypeFor[Settings]()
	for i := range fields.NumField() { // every setting must count
		change(fields.Field(i).Name, func(c *Settings) {
			switch f := reflect.ValueOf(c).Elem().Field(i); f.Kind() {
			case reflect.Int64:
				f.SetInt(f.Int() + 1)
			case reflect.Float64:
				f.SetFloat(f.Float()/3 + 0.01)
			case reflect.Map:
				c.HandlingCost["EUR"]++
			default:
				t.Errorf("no change known for %s", f.Type())
			}
		})
	}
	for what, f := range map[string]func(*Settings){
		"deviation":          func(c *Settings) { c.DeviationBasisPoints = 10000 },
		"min_n":              func(c *Settings) { c.MinN = 0 },
		"max_cv":             func(c *Settings) { c.MaxCV = -1 },
		"threshold":          func(c *Settings) { c.SuspectThreshold = -1 },
		"base rate":          func(c *Settings) { c.BaseRate = 1 },
		"half-life":          func(c *Settings) { c.HalfLife = time.Minute },
		"identity retention": func(c *Settings) { c.IdentityRetention = 0 },
		"learn_within":       func(c *Settings) { c.LearnWithin = -1 },
		`"euro"`:             func(c *Settings) { c.HandlingCost["euro"] = 1 },
		"-0.0001 EUR":        func(c *Settings) { c.HandlingCost["EUR"] = -1 },
	} {
		c := change(what, f)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
