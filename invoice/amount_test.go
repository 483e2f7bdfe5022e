package invoice

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// extremes are values where int64 arithmetic breaks first.
var extremes = []int64{
	math.MinInt64, math.MinInt64 + 1, math.MinInt64 / 2, -1 << 53, -100_000_000, -10_001, -10_000, -9_999, -5, -2, -1,
	0, 1, 2, 3, 5, 7, 9_999, 10_000, 10_001, 99_999_999, 100_000_000, 100_000_001, 1 << 32, 1 << 53, 1 << 62,
	math.MaxInt64 / 10_000, math.MaxInt64/10_000 + 1, math.MaxInt64/2 + 1, math.MaxInt64 - 1, math.MaxInt64,
}

// anyInt64 has all magnitudes alike, not only the huge ones.
func anyInt64(r *rand.Rand) int64 {
	if r.IntN(8) == 0 {
		return extremes[r.IntN(len(extremes))]
	}
	return int64(r.Uint64()) >> r.IntN(64)
}

// eachTriple runs check on all triples of extremes and on random ones.
func eachTriple(t *testing.T, check func(a, b, c int64)) {
	t.Helper()
	for _, a := range extremes {
		for _, b := range extremes {
			for _, c := range extremes {
				check(a, b, c)
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		check(anyInt64(r), anyInt64(r), anyInt64(r))
	}
}

// halfEven is the oracle: n/d rounded half-even, by math/big.
func halfEven(n, d *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(n, d, new(big.Int))
	twice := r.Lsh(r.Abs(r), 1)
	cmp := twice.CmpAbs(d)
	if cmp > 0 || (cmp == 0 && q.Bit(0) == 1) {
		q.Add(q, big.NewInt(int64(n.Sign()*d.Sign())))
	}
	return q
}

func agrees(t *testing.T, what string, got Amount, ok bool, want *big.Int, args ...int64) {
	t.Helper()
	if ok != want.IsInt64() || (ok && int64(got) != want.Int64()) {
		t.Fatalf("%s%v = %d, %v; exact is %s", what, args, int64(got), ok, want)
	}
}

// G11: every operation is exact or says that it overflows.
func TestArithmeticAgainstBig(t *testing.T) {
	eachTriple(t, func(a, b, c int64) {
		x, y, z := big.NewInt(a), big.NewInt(b), big.NewInt(c)
		sum, ok := Amount(a).Add(Amount(b))
		agrees(t, "Add", sum, ok, new(big.Int).Add(x, y), a, b)
		diff, ok := Amount(a).Sub(Amount(b))
		agrees(t, "Sub", diff, ok, new(big.Int).Sub(x, y), a, b)
		neg, ok := Amount(a).Neg()
		agrees(t, "Neg", neg, ok, new(big.Int).Neg(x), a)
		product := new(big.Int).Mul(x, y)
		fixed, ok := Amount(a).MulFixed(Fixed(b))
		agrees(t, "MulFixed", fixed, ok, halfEven(product, big.NewInt(int64(One))), a, b)
		if c == 0 {
			if _, ok := Amount(a).MulRate(b, 0); ok {
				t.Fatalf("MulRate(%d, %d, 0) is ok", a, b)
			}
			return
		}
		rate, ok := Amount(a).MulRate(b, c)
		agrees(t, "MulRate", rate, ok, halfEven(product, z), a, b, c)
	})
}

// A4, G11: the comparison of the 15 % rule is exact for all values.
func TestLessByBasisPointsAgainstBig(t *testing.T) {
	eachTriple(t, func(billed, mean, bp int64) {
		left := new(big.Int).Mul(big.NewInt(billed), big.NewInt(10_000))
		right := new(big.Int).Sub(big.NewInt(10_000), big.NewInt(bp))
		right.Mul(right, big.NewInt(mean))
		if got, want := LessByBasisPoints(Amount(billed), Amount(mean), bp), left.Cmp(right) < 0; got != want {
			t.Fatalf("LessByBasisPoints(%d, %d, %d) = %v, exact is %v", billed, mean, bp, got, want)
		}
	})
}

// A4: −15.00 % is silent and −15.01 % fires, at any size of the amounts.
func TestFifteenPerCentEdge(t *testing.T) {
	for _, c := range []struct {
		billed, mean string
		fires        bool
	}{
		{"85.00", "100.00", false},
		{"84.99", "100.00", true},
		{"84.9999", "100.00", true},
		{"85.0001", "100.00", false},
		{"0.0085", "0.01", false},
		{"0.0084", "0.01", true},
		{"783986623132655.1432", "922337203685477.5807", true}, // exact edge: …655.943595
		{"783986623132655.9435", "922337203685477.5807", true},
		{"783986623132655.9436", "922337203685477.5807", false},
		{"-922337203685477.5808", "922337203685477.5807", true},
		{"922337203685477.5807", "-922337203685477.5808", false},
		{"-85.00", "-100.00", false}, // a mean of credit: −85 is more than −85 %
		{"0.00", "0.00", false},
	} {
		billed, err := ParseAmount(c.billed)
		if err != nil {
			t.Fatal(err)
		}
		mean, err := ParseAmount(c.mean)
		if err != nil {
			t.Fatal(err)
		}
		if got := LessByBasisPoints(billed, mean, 1500); got != c.fires {
			t.Errorf("%s against a mean of %s: fires %v, want %v", c.billed, c.mean, got, c.fires)
		}
	}
}

func TestLineNetAgainstBig(t *testing.T) {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(20), nil)
	eachTriple(t, func(quantity, price, discount int64) {
		exact := new(big.Int).Sub(big.NewInt(int64(One)), big.NewInt(discount))
		exact.Mul(exact, big.NewInt(quantity)).Mul(exact, big.NewInt(price))
		net, ok := LineNet(Fixed(quantity), Fixed(price), Fixed(discount))
		agrees(t, "LineNet", net, ok, halfEven(exact, scale), quantity, price, discount)
	})
}

// Random numbers never meet a tie, nor a quotient that rounds up to 2^64.
func TestRoundingExtremes(t *testing.T) {
	for _, c := range []struct {
		quantity, price string
		want            Amount
	}{
		{"0.5", "0.0001", 0}, {"1.5", "0.0001", 2}, {"2.5", "0.0001", 2}, {"-0.5", "0.0001", 0}, {"-1.5", "0.0001", -2},
		{"0.50000001", "0.0001", 1}, {"0.49999999", "0.0001", 0},
	} {
		quantity, _ := ParseFixed(c.quantity)
		price, _ := ParseFixed(c.price)
		if net, ok := LineNet(quantity, price, 0); !ok || net != c.want {
			t.Errorf("%s x %s = %d, %v; want %d", c.quantity, c.price, int64(net), ok, int64(c.want))
		}
	}
	if v, ok := Amount(1<<62-1).MulRate(1<<62+1, 1<<60); ok {
		t.Errorf("2^64 came out as %d", int64(v))
	}
}

func TestParseAmount(t *testing.T) {
	for s, want := range map[string]Amount{
		"139.12": 1391200, "0.0001": 1, "-5.00": -50000, "5": 50000, "15.3": 153000, "007.5": 75000, "-0": 0,
		"1.00000000000000000000000": 10000, "922337203685477.5807": math.MaxInt64,
		"-922337203685477.5808": math.MinInt64, "0000000000000000000000000000001": 10000,
	} {
		if got, err := ParseAmount(s); err != nil || got != want {
			t.Errorf("ParseAmount(%q) = %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", "-", ".", "-.5", ".5", "5.", "+5", " 5", "5 ", "1e3", "1E3", "1,5", "NaN", "Inf", "-Infinity", "0x10", "1_000",
		"--5", "5-", "1.2.3", "٣", "1.00001", "1.000000001", "922337203685477.5808", "-922337203685477.5809",
		"9223372036854775807", "18446744073709551616.0000", "99999999999999999999999999", "1.0000x", "1.00000x",
	} {
		if got, err := ParseAmount(s); err == nil {
			t.Errorf("ParseAmount(%q) = %d, want an error", s, got)
		} else if !strings.HasPrefix(err.Error(), "cannot read amount") {
			t.Errorf("ParseAmount(%q): error %q does not name the amount", s, err)
		}
	}
}

func TestParseFixedRoundsHalfEven(t *testing.T) {
	for s, want := range map[string]Fixed{
		"0.175": 17500000, "6": 6 * One, "0.000000005": 0, "0.000000015": 2, "0.0000000050000000001": 1,
		"0.0000000149999999": 1, "-0.000000015": -2, "-0.000000005": 0, "0.999999995": One, "2.000000025": 2*One + 2,
		"92233720368.54775807": math.MaxInt64, "92233720368.547758074": math.MaxInt64,
		"-92233720368.54775808": math.MinInt64, "-92233720368.547758085": math.MinInt64,
	} {
		if got, err := ParseFixed(s); err != nil || got != want {
			t.Errorf("ParseFixed(%q) = %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"92233720368.547758075", "-92233720368.547758086", "92233720369", "1e-8", "0.0000000001x"} {
		if got, err := ParseFixed(s); err == nil {
			t.Errorf("ParseFixed(%q) = %d, want an error", s, got)
		}
	}
}

func TestDecimalStrings(t *testing.T) {
	for a, want := range map[Amount]string{
		1391200: "139.12", 1: "0.0001", -50000: "-5.00", 0: "0.00", -1: "-0.0001", 12345: "1.2345", 12340: "1.234",
		math.MaxInt64: "922337203685477.5807", math.MinInt64: "-922337203685477.5808",
	} {
		if got := a.String(); got != want {
			t.Errorf("Amount(%d) = %q, want %q", int64(a), got, want)
		}
	}
	for f, want := range map[Fixed]string{
		17500000: "0.175", 6 * One: "6", 0: "0", -1: "-0.00000001", 1250000000: "12.5",
		math.MaxInt64: "92233720368.54775807", math.MinInt64: "-92233720368.54775808",
	} {
		if got := f.String(); got != want {
			t.Errorf("Fixed(%d) = %q, want %q", int64(f), got, want)
		}
	}
}

func TestDecimalsInJSON(t *testing.T) {
	type both struct {
		A Amount `json:"a"`
		F Fixed  `json:"f"`
	}
	in := both{A: -50000, F: 17500000}
	data, err := json.Marshal(in)
	if err != nil || string(data) != `{"a":"-5.00","f":"0.175"}` {
		t.Fatalf("got %s, %v", data, err)
	}
	var out both
	if err := json.Unmarshal(data, &out); err != nil || out != in {
		t.Fatalf("got %+v, %v; want %+v", out, err, in)
	}
	for _, bad := range []string{`{"a":5}`, `{"f":0.5}`, `{"a":"5e3"}`, `{"f":"x"}`} {
		if err := json.Unmarshal([]byte(bad), &out); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
	if out != in {
		t.Errorf("a refused value was stored: %+v", out)
	}
}

func FuzzDecimals(f *testing.F) {
	for _, s := range []string{"139.12", "-0.0001", "1e3", "", "-", "922337203685477.5807", "0.000000005"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		exact, isDecimal := new(big.Rat), plainDecimal.MatchString(s)
		if isDecimal {
			exact.SetString(s)
		}
		if a, err := ParseAmount(s); err == nil {
			if back, err := ParseAmount(a.String()); err != nil || back != a {
				t.Fatalf("%q reads as %s, which reads as %d, %v", s, a, back, err)
			}
			if !isDecimal || exact.Cmp(big.NewRat(int64(a), int64(Unit))) != 0 {
				t.Fatalf("%q reads as %s", s, a)
			}
		} else if scaled := exact.Mul(exact, big.NewRat(int64(Unit), 1)); isDecimal && scaled.IsInt() &&
			scaled.Num().IsInt64() {
			t.Fatalf("%q is an amount: %v", s, err)
		}
		x, err := ParseFixed(s)
		want, ok := referenceFixed(s)
		if ok != (err == nil) || (ok && want != x) {
			t.Fatalf("ParseFixed(%q) = %d, %v; exact is %d, %v", s, x, err, want, ok)
		}
		if back, err := ParseFixed(x.String()); err != nil || back != x {
			t.Fatalf("%s reads back as %d, %v", x, back, err)
		}
	})
}
