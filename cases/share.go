package cases

import "math"

// Share is k of n with its 95 % Wilson interval.
type Share struct {
	P    float64 `json:"p"`    // k / n; 0 without any n
	Low  float64 `json:"low"`  // lower end of the interval, 0 to P
	High float64 `json:"high"` // upper end, P to 1
	N    int64   `json:"n"`    // how many there were
}

// Wilson returns k of n, 0 ≤ k ≤ n. Without any n everything is possible: 0 to 1.
func Wilson(k, n int64) Share {
	if n <= 0 {
		return Share{High: 1}
	}
	const z = 1.959963984540054
	p, size := float64(k)/float64(n), float64(n)
	center := (p + z*z/(2*size)) / (1 + z*z/size)
	half := z * math.Sqrt(p*(1-p)/size+z*z/(4*size*size)) / (1 + z*z/size)
	s := Share{P: p, Low: max(0, center-half), High: min(1, center+half), N: n}
	// Of none and of all the ends are known, rounding must not hide them.
	if k == 0 {
		s.Low = 0
	}
	if k == n {
		s.High = 1
	}
	return s
}
