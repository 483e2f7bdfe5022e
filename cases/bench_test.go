package cases_test

import "testing"

// BenchmarkOpen opens and encodes a whole case with options and draft: what a worker
// spends on each suspect that is worth one.
func BenchmarkOpen(b *testing.B) {
	inv := fibre("F-2", 200, 200, 120)
	inv.CustomerRef, inv.Country = "c:1", "FR"
	v := verdictOn(inv)
	b.ReportAllocs()
	for b.Loop() {
		body, err := opener.Open(inv, v, received, detected).Encode()
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(body)))
	}
}
