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
	if *rewrite {
		path := fmt.Sprintf("testdata/format-%d.txt", format)
		s := filledStore(key)
		text := digits(s.encode(77)) + "\n\n" + meaning(s, key)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, want := kept(t, format)
	const fix = "raise format in state.go, and go test ./detectors/history -rewrite"
	s := restored(t, 77, stored)
	if got := meaning(s, key); got != want {
		t.Errorf("the bytes of format %d mean something else now; %s:\n%s", format, fix, firstDifference(got, want))
	}
	if got := s.encode(77); string(got) != string(stored) {
		t.Errorf("the same items are stored as other bytes now; %s:\n%x\nwere\n%x", fix, got, stored)
	}
}

// G5: nor is the form of what segments were met, under keys of its own.
func TestFormOfMetIsKept(t *testing.T) {
	const key = 77<<(64-bucketBits) | 5
	s := New(DefaultLimits())
	s.Meet(key, 500_000, 0)
	kept := []byte{1, 10, 1, 0x13, 0x40, 0, 0, 0, 0, 0, 5, 0xc0, 0x84, 0x3d}
	if got := s.segments.encode(77); string(got) != string(kept) {
		t.Errorf("a segment met is stored as %x now, was %x; raise metFormat", got, kept)
	}
	again := New(DefaultLimits())
	if err := again.Restore([]byte("met|0077|1"), kept, 5); err != nil {
		t.Fatal(err)
	}
	if err := again.Adopt(5); err != nil {
		t.Fatal(err)
	}
	if !again.Meets(key, 500_000) || again.Meets(key, 500_001) || again.Meets(key+1, 0) {
		t.Error("which segment was met, and when, did not come back")
	}
}

// G5: a recoup from before segments were noted as met takes turns with this one. It
// knows what stands under history| and passes over met|, which then stays behind.
func TestMetStandsApart(t *testing.T) {
	s := filledStore(77<<(64-bucketBits) | 5)
	written := map[string]byte{}
	s.Checkpoint(func(key, value []byte) { written[string(key)] = value[0] })
	if len(written) != 2 || written["history|0077|1"] != 7 || written["met|0077|1"] != 1 {
		t.Errorf("formats written are %v, want 7 of history|0077|1 and 1 of met|0077|1", written)
	}
}

// kept returns the bytes that are kept of a format, and what they mean.
func kept(t *testing.T, format int) (stored []byte, means string) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("testdata/format-%d.txt", format))
	if err != nil {
		t.Fatalf("no stored form is kept of format %d: go test ./detectors/history -rewrite: %v", format, err)
	}
	written, means, _ := strings.Cut(string(text), "\n\n")
	stored, err = hex.DecodeString(strings.ReplaceAll(written, "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	return stored, means
}

// digits writes bytes as lines of hexadecimal digits.
func digits(stored []byte) string {
	var lines []string
	for part := range slices.Chunk(stored, 60) {
		lines = append(lines, hex.EncodeToString(part))
	}
	return strings.Join(lines, "\n")
}

// meaning lists every field of the items of a key that there are, whatever the order of
// the fields in memory.
func meaning(s *Store, key uint64) string {
	var lines []string
	for name, item := range map[string]any{
		"product": s.products.get(key), "pair": s.pairs.get(key), "customer": s.customers.load(key, new(Customer)),
		"group": s.groups.get(key), "terms": s.terms.get(key), "source": s.sources.get(key),
		"prints": s.prints.load(key, new(Prints)), "like": s.likes.get(key), "conduct": s.conducts.get(key),
		"deal": s.deals.get(key), "met": s.met.get(key),
	} {
		if v := reflect.ValueOf(item); !v.IsNil() {
			describe(&lines, name, v.Elem())
		}
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
