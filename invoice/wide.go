package invoice

import "math/bits"

// mulDiv returns a × n / d rounded half-even, from the exact 128-bit product.
func mulDiv(a, n, d int64) (int64, bool) {
	if d == 0 {
		return 0, false
	}
	negative := (a < 0) != (n < 0) != (d < 0)
	hi, lo := bits.Mul64(magnitude(a), magnitude(n))
	divisor := magnitude(d)
	if hi >= divisor {
		return 0, false
	}
	var q, r uint64
	if hi == 0 && divisor == uint64(One) { // a usual rate; by a constant that is no division
		q, r = lo/uint64(One), lo%uint64(One)
	} else {
		q, r = bits.Div64(hi, lo, divisor)
	}
	if q > 1<<63 {
		return 0, false
	}
	if above := divisor - r; r > above || (r == above && q&1 == 1) {
		q++
	}
	return signed(negative, q)
}

// magnitude returns |v|, also for the lowest int64.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// signed returns ±u, or false when an int64 cannot hold it.
func signed(negative bool, u uint64) (int64, bool) {
	if negative {
		return int64(-u), u <= 1<<63
	}
	return int64(u), u < 1<<63
}

// int128 is a two's complement number of 128 bits.
type int128 struct {
	hi int64
	lo uint64
}

// mul128 returns the exact product.
func mul128(a, b int64) int128 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	// The unsigned product counts a negative factor as 2^64 more than it is.
	return int128{hi: int64(hi) - (a>>63)&b - (b>>63)&a, lo: lo}
}

// sub returns x - y; two products of int64 and a small constant cannot overflow it.
func (x int128) sub(y int128) int128 {
	lo, borrow := bits.Sub64(x.lo, y.lo, 0)
	return int128{hi: x.hi - y.hi - int64(borrow), lo: lo}
}

func (x int128) less(y int128) bool {
	return x.hi < y.hi || (x.hi == y.hi && x.lo < y.lo)
}

// words192 is an unsigned number of 192 bits, highest word first.
type words192 [3]uint64

// divide replaces w by w / d and returns the remainder.
func (w *words192) divide(d uint64) (rest uint64) {
	for i := range w {
		w[i], rest = bits.Div64(rest, w[i], d)
	}
	return rest
}
