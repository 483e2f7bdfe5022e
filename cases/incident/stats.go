package incident

import "math"

// moreThanUsual is the probability that k or more of n invoices are suspects when they
// err as often as others, of which usual of so many were. Given how many suspects
// there are in all, those among the n follow a binomial distribution: the test is exact
// and knows how little a short past says.
func moreThanUsual(k, n, usual, of int64) float64 {
	if of <= 0 || n <= 0 {
		return 1
	}
	return binomialTail(k, k+usual, float64(n)/(float64(n)+float64(of)))
}

// binomialTail is the probability of k or more successes of n, each with probability p.
func binomialTail(k, n int64, p float64) float64 {
	switch {
	case k <= 0 || p >= 1:
		return 1
	case k > n || p <= 0:
		return 0
	}
	term := math.Exp(logChoose(n, k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	if float64(k) <= float64(n)*p { // not beyond the middle: the other tail is shorter to write
		return 1 - binomialHead(k-1, n, p)
	}
	sum, odds := 0.0, p/(1-p)
	for i := k; i <= n && term > sum*1e-17; i++ {
		sum += term
		term *= odds * float64(n-i) / float64(i+1)
	}
	return math.Min(sum, 1)
}

// binomialHead is the probability of k or fewer successes, k below the middle.
func binomialHead(k, n int64, p float64) float64 {
	if k < 0 {
		return 0
	}
	term := math.Exp(logChoose(n, k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	sum, odds := 0.0, (1-p)/p
	for i := k; i >= 0 && term > sum*1e-17; i-- {
		sum += term
		term *= odds * float64(i) / float64(n-i+1)
	}
	return math.Min(sum, 1)
}

func logChoose(n, k int64) float64 {
	lg := func(x int64) float64 {
		v, _ := math.Lgamma(float64(x) + 1)
		return v
	}
	return lg(n) - lg(k) - lg(n-k)
}

// z95 is the 97.5 % quantile of the normal distribution, both sides of 95 %.
const z95 = 1.959963984540054

// wilsonLower is the lower end of the 95 % Wilson interval of k of n.
func wilsonLower(k, n int64) float64 {
	if n <= 0 || k <= 0 {
		return 0
	}
	p, m := float64(k)/float64(n), float64(n)
	middle := p + z95*z95/(2*m)
	spread := z95 * math.Sqrt(p*(1-p)/m+z95*z95/(4*m*m))
	return math.Max(0, (middle-spread)/(1+z95*z95/m))
}

// z90 is the 95 % quantile of the normal distribution: one side.
const z90 = 1.6448536269514722

// poissonLower is the lower 95 % bound of what is expected where k were counted
// (Wilson and Hilferty's approximation, good to 2 % from 2 on).
func poissonLower(k int64) float64 {
	if k <= 0 {
		return 0
	}
	n := float64(k)
	root := 1 - 1/(9*n) - z90/(3*math.Sqrt(n))
	return math.Max(0, n*root*root*root)
}

// logLikelihood is that of k of n at their own rate.
func logLikelihood(k, n int64) float64 {
	if k <= 0 || k >= n {
		return 0
	}
	p := float64(k) / float64(n)
	return float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p)
}
