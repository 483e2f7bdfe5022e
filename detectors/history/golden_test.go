package history

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the stored form into testdata anew")

// The stored form of one bucket is kept as bytes and as what they mean: a state
// topic outlives the program that wrote it. Who changes either raises format and
// writes a new file; old state is then refused and learned anew, not misread (G5).
func TestStoredFormIsKept(t *testing.T) {
	const key = 77<<(64-bucketBits) | 5
	path := fmt.Sprintf("testdata/format-%d.txt", format)
	if *rewrite {
		s := filledStore(key)
		text := digits(s.encode(77)) + "\n\n" + meaning(s, key)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no stored form is kept of format %d: go test ./detectors/history -rewrite: %v", format, err)
	}
	written, want, _ := strings.Cut(string(kept), "\n\n")
	stored, err := hex.DecodeString(strings.ReplaceAll(written, "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	const fix = "raise format in state.go, and go test ./detectors/history -rewrite"
	s := restored(t, 77, stored)
	if got := meaning(s, key); got != want {
		t.Errorf("the bytes of format %d mean something else now; %s:\n%s", format, fix, firstDifference(got, want))
	}
	if got := s.encode(77); string(got) != string(stored) {
		t.Errorf("the same items are stored as other bytes now; %s:\n%x\nwere\n%x", fix, got, stored)
	}
}

// digits writes bytes as lines of hexadecimal digits.
func digits(stored []byte) string {
	var lines []string
	for part := range slices.Chunk(stored, 60) {
		lines = append(lines, hex.EncodeToString(part))
	}
	return strings.Join(lines, "\n")
}

// meaning lists every field of the items of a key, whatever the order of the
// fields in memory.
func meaning(s *Store, key uint64) string {
	var lines []string
	for name, item := range map[string]any{
		"product": s.products.get(key), "pair": s.pairs.get(key), "customer": s.customers.load(key, new(Customer)),
		"group": s.groups.get(key), "terms": s.terms.get(key), "source": s.sources.get(key),
		"prints": s.prints.load(key, new(Prints)), "like": s.likes.get(key), "conduct": s.conducts.get(key),
		"deal": s.deals.get(key), "met": s.met.get(key),
	} {
		describe(&lines, name, reflect.ValueOf(item).Elem())
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// describe adds the fields below a value. A list of plain numbers is one line.
func describe(lines *[]string, name string, v reflect.Value) {
	switch k := v.Kind(); {
	case k == reflect.Struct:
		for i := range v.NumField() {
			describe(lines, name+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case slices.Contains([]reflect.Kind{reflect.Array, reflect.Slice}, k) &&
		slices.Contains([]reflect.Kind{reflect.Struct, reflect.Array}, v.Type().Elem().Kind()):
		for i := range v.Len() {
			describe(lines, fmt.Sprintf("%s[%02d]", name, i), v.Index(i))
		}
	default:
		*lines = append(*lines, fmt.Sprintf("%s %v", name, v))
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] + "\nwas\n" + b[i]
		}
	}
	return fmt.Sprintf("%d fields, were %d", len(a), len(b))
}
