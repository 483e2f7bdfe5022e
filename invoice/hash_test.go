package invoice

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
)

func decoded(t *testing.T, record string) *Invoice {
	t.Helper()
	inv := new(Invoice)
	if err := NewDecoder(Limits{}).Decode([]byte(record), inv); err != nil {
		t.Fatalf("%s: %v", record, err)
	}
	return inv
}

// The hashes are kept in recoup.state: these values must never change.
func TestHashesAreStable(t *testing.T) {
	for _, c := range []struct {
		record            string
		content, identity uint64
	}{
		{required + "}", 0x53a728d67649452b, 0xf7ecee3e27a3f1ec},
		{threeLines, 0x93490b39d84afe9c, 0x7a22043d9a055cba},
		{full, 0x564d8258cc78dcec, 0xbfaf707635b90641},
	} {
		inv := decoded(t, c.record)
		if got := inv.ContentHash(); got != c.content {
			t.Errorf("ContentHash = %#x, want %#x: all duplicate keys in recoup.state would be void", got, c.content)
		}
		if got := inv.Identity(); got != c.identity {
			t.Errorf("Identity = %#x, want %#x: all duplicate keys in recoup.state would be void", got, c.identity)
		}
	}
}

// A redelivery has another event id and trace, and may spell values otherwise.
func TestContentHashIgnoresSpelling(t *testing.T) {
	want := decoded(t, required+"}").ContentHash()
	for _, record := range []string{
		with(`"traceparent":"00-1-2-01","unknown":[1]`),
		replaced(`"e1"`, `"e2"`),
		replaced(`139.12`, `139.1200`),
		replaced(`09:30:00Z`, `10:30:00.000+01:00`),
		with(`"stage":"issued","invoice_type":"invoice","revision":0,"canary":false,"lines":[],"crm":{},"due_date":null`),
		`{"net_amount":"139.12",` + strings.Replace(required[1:], `,"net_amount":"139.12"`, "", 1) + "}",
		replaced(`"seller"`, `"\u0073eller"`),
	} {
		if got := decoded(t, record).ContentHash(); got != want {
			t.Errorf("%s: ContentHash %#x, want %#x", record, got, want)
		}
	}
}

// Each field of Invoice, Line and CRM is part of the hash, except two.
func TestContentHashSeesEveryField(t *testing.T) {
	var base Invoice
	base.Lines = []Line{{}}
	seen := map[uint64]string{base.ContentHash(): "nothing"}
	base.CRM.Plan, base.Lines[0].Unit = "p", "u"
	var change func(path string, v reflect.Value)
	change = func(path string, v reflect.Value) {
		for i := range v.NumField() {
			name, f := path+v.Type().Field(i).Name, v.Field(i)
			if !f.CanSet() || name == "EventID" || name == "TraceParent" {
				continue
			}
			before := reflect.New(f.Type()).Elem()
			before.Set(f)
			switch f.Interface().(type) {
			case []Line:
				change("Lines[0].", f.Index(0))
				f.Set(reflect.ValueOf([]Line{{}, {}}))
			case CRM:
				change("CRM.", f)
				continue
			case time.Time:
				f.Set(reflect.ValueOf(time.Unix(1, 0)))
			case []string:
				f.Set(reflect.ValueOf([]string{"x"}))
			case OptionalAmount:
				f.Set(reflect.ValueOf(OptionalAmount{Set: true}))
			case OptionalFixed:
				f.Set(reflect.ValueOf(OptionalFixed{Set: true}))
			case string:
				f.SetString("x")
			case bool:
				f.SetBool(true)
			case Stage, Type:
				f.SetUint(1)
			default:
				f.SetInt(1)
			}
			hash := base.ContentHash()
			if other, taken := seen[hash]; taken {
				t.Errorf("changing %s gives the hash of %s", name, other)
			}
			seen[hash] = name
			f.Set(before)
		}
	}
	change("", reflect.ValueOf(&base).Elem())
	if len(seen) < 55 {
		t.Errorf("only %d fields were changed", len(seen))
	}
	hash := base.ContentHash()
	base.EventID, base.TraceParent = "x", "x"
	if base.ContentHash() != hash {
		t.Error("event_id or traceparent is part of the hash")
	}
}

func TestIdentityPartsDoNotRunTogether(t *testing.T) {
	seen := map[uint64]Invoice{}
	for _, inv := range []Invoice{
		{Seller: "ab", ID: "c"}, {Seller: "a", ID: "bc"}, {Seller: "", ID: "abc"}, {Seller: "abc"},
		{Seller: "ab", ID: "c", Revision: 1}, {Seller: "ab", ID: "c", Stage: PreIssue},
		{Seller: "ab", ID: "c", Revision: 1, Stage: PreIssue}, {Seller: "ab", ID: "c\x01"},
	} {
		if other, taken := seen[inv.Identity()]; taken {
			t.Errorf("%+v and %+v have one identity", inv, other)
		}
		seen[inv.Identity()] = inv
	}
	a, b := Invoice{Seller: "s", ID: "i", NetAmount: 1}, Invoice{Seller: "s", ID: "i", NetAmount: 2, EventID: "e"}
	if a.Identity() != b.Identity() {
		t.Error("the content is part of the identity")
	}
}

// Long strings leave the stack; where they are split must matter.
func TestHashOfLongStrings(t *testing.T) {
	seen := map[uint64]int{}
	for n := range 1_200 {
		hash := (&Invoice{Seller: strings.Repeat("s", n), ID: strings.Repeat("s", 1_200-n)}).Identity()
		if other, taken := seen[hash]; taken {
			t.Fatalf("a seller of %d and of %d bytes have one identity", n, other)
		}
		seen[hash] = n
	}
}

func TestMissing(t *testing.T) {
	customer, kind, family := decoded(t, required+"}").Missing()
	if !customer || !kind || !family {
		t.Errorf("got %v %v %v, want all missing", customer, kind, family)
	}
	customer, kind, family = decoded(t, with(`"customer_ref":"anonymous","product_family":"F"`)).Missing()
	if customer || !kind || family {
		t.Errorf("got %v %v %v, want the customer type missing", customer, kind, family)
	}
}

// A clone keeps its values when the record's bytes are used for something else.
func TestCloneSharesNothing(t *testing.T) {
	data := []byte(full)
	inv := new(Invoice)
	if err := NewDecoder(Limits{}).Decode(data, inv); err != nil {
		t.Fatal(err)
	}
	clone, want := inv.Clone(), decoded(t, full).Clone()
	for i := range data {
		data[i] = '#'
	}
	for i := range inv.unescaped {
		inv.unescaped[i] = '#'
	}
	for i := range inv.Lines {
		inv.Lines[i] = Line{}
	}
	if !reflect.DeepEqual(clone, want) {
		t.Errorf("the clone changed with its source:\n got %+v\nwant %+v", clone, want)
	}
}

// The hash of a text is XXH64, however long it is.
func TestTextHash(t *testing.T) {
	text := strings.Repeat("Grüße, 0123456789 ", 5)
	for from := range 3 {
		for to := from; to < len(text); to++ {
			if got, want := textHash(text[from:to]), xxhash.Sum64String(text[from:to]); got != want {
				t.Fatalf("%q: %#x, want %#x", text[from:to], got, want)
			}
		}
	}
}

// Hash says what Identity, ContentHash and the hashes of single fields say.
func TestHashOfFields(t *testing.T) {
	inv := decoded(t, required+`,"customer_ref":"c1","country":"FR","lines":[{"product_id":"p1"},{"description":"x"}]}`)
	var h Hashes
	for range 2 { // it is reused
		inv.Hash(&h)
	}
	if h.Identity != inv.Identity() || h.Content != inv.ContentHash() {
		t.Errorf("identity %#x, content %#x; want %#x, %#x", h.Identity, h.Content, inv.Identity(), inv.ContentHash())
	}
	of := xxhash.Sum64String
	want := Hashes{Identity: h.Identity, Content: h.Content, Seller: of(inv.Seller), ID: of(inv.ID),
		Currency: of(inv.Currency), CustomerRef: of("c1"), CustomerType: of(inv.CustomerType), ProductFamily: of(""),
		SourceSystem: of(""), SourceRelease: of(""), BatchID: of(""), Country: of("FR"), DeliveryRef: of(""),
		OrderRef: of(""), Products: []uint64{of("p1"), of("")}}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("hashes %#x, want %#x", h, want)
	}
}
